"""The tables of papers: monthly returns as they were signed, never changed, and what was made when."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from appliance.records.base import document, moment


class FiledReturn(SQLModel, table=True):
    """A monthly return as it was handed in; `revision` 1 is the first, `sha256` is of its content."""

    __tablename__ = "filed_return"

    period: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    state: str
    signed_by: str
    signed_by_name: str
    signed_at: int = moment(nullable=False)
    document: dict = document()  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    sha256: str


class MadePaper(SQLModel, table=True):
    """When a paper that comes back was made last, and whether of the closed period; its files lie in `papers/`."""

    __tablename__ = "made_paper"

    paper: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    made_at: int = moment(nullable=False)
    of_closed: bool = False
