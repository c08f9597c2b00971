"""The tables of assessment: spot checks drawn by lot, and the sheets of settlement that are kept."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from appliance.records.base import document, identity, moment


class SpotDraw(SQLModel, table=True):
    """A draw: anybody who has the seed and the population draws the same subjects again."""

    __tablename__ = "spot_draw"

    id: int = identity()
    period: str
    kind: str
    seed: str
    population: int
    population_sha256: str
    wanted: int
    drawn_by: str
    drawn_at: int = moment(nullable=False)


class SpotCheck(SQLModel, table=True):
    """A subject that was drawn, and what the assessor found; money in cents."""

    __tablename__ = "spot_check"
    __table_args__ = (Index("ix_spot_check_draw", "draw"),)

    id: int = identity()
    draw: int
    subject: str
    good: bool | None = None
    note: str = ""
    number: str | None = None
    charged_to: str | None = None
    deduction: int = 0
    checked_by: str | None = None
    checked_at: int | None = moment()


class SettlementSheet(SQLModel, table=True):
    """The sheet of a closed month as it was worked out, with the contract it was made by; never changed."""

    __tablename__ = "settlement_sheet"

    period: str = Field(primary_key=True)
    closed_at: int = moment(nullable=False)
    kept_at: int = moment(nullable=False)
    contract: dict = document()  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    lines: list = document()  # type: ignore[type-arg]  # as above
