"""The table of what was handed in: monthly returns as they were signed, never changed."""

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
