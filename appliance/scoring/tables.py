"""The tables of scores: counted periods, packs, scores and appeals; frozen once a period is closed."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from appliance.records.base import document, identity, moment, only


class ScorePeriod(SQLModel, table=True):
    """A period that was counted. `basis` is who and what there was; a closed period is never counted again."""

    __tablename__ = "score_period"

    name: str = Field(primary_key=True)
    kind: str
    starts_at: int = moment(nullable=False)
    ends_at: int = moment(nullable=False)
    as_of: int = moment(nullable=False)
    counted_at: int = moment(nullable=False)
    left_out: int = 0
    basis: dict = document()  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    closed_at: int | None = moment()
    closed_by: str | None = None


class ScoreCount(SQLModel, table=True):
    """What was counted for one subject: facts by name, grids by class, and, packed, the cases behind each fact."""

    __tablename__ = "score_count"

    period: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    name: str
    duty_group: str | None = None
    facts: dict = document()  # type: ignore[type-arg]  # as above
    grids: dict = document()  # type: ignore[type-arg]  # as above
    cases: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ScorePack(SQLModel, table=True):
    """A pack as it was when scores were made by it; never changed."""

    __tablename__ = "score_pack"

    sha256: str = Field(primary_key=True)
    id: str
    content: str
    kept_at: int = moment(nullable=False)


class Score(SQLModel, table=True):
    """A score of a closed period: `figures` by code of indicator, by one pack; `revision` grows with appeals."""

    __tablename__ = "score"
    __table_args__ = (
        Index("ix_score_row", "period", "pack_sha256", "scope", "subject"),
        Index("ix_score_subject", "scope", "subject", "period"),
    )

    id: int = identity()
    key: str = Field(sa_column_kwargs={"unique": True})
    period: str
    pack: str
    pack_sha256: str
    scope: str
    subject: str
    name: str
    duty_group: str | None = None
    figures: dict = document()  # type: ignore[type-arg]  # as above
    score: float | None = None
    grade: str | None = None
    place: int | None = None
    place_in_group: int | None = None
    revision: int = 0


class ScoreAppeal(SQLModel, table=True):
    """An appeal: a case that is not to count for a subject's score of a period. The raw facts stay as they are."""

    __tablename__ = "score_appeal"
    __table_args__ = (
        Index("ix_score_appeal_period", "period", "scope", "subject"),
        Index("ix_score_appeal_waiting", "id", **only("decided_at IS NULL")),
    )

    id: int = identity()
    period: str
    scope: str
    subject: str
    number: str
    reason: str
    asked_by: str
    asked_at: int = moment(nullable=False)
    approved: bool | None = None
    decided_by: str | None = None
    decided_at: int | None = moment()
    note: str | None = None
