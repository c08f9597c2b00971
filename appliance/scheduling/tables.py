"""The table of job runs."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from appliance.records.base import document, identity, moment


class JobRun(SQLModel, table=True):
    """One run of a job. `ended_at` is empty while it runs; `ok` says how it ended, `zh` and `en` why it failed.

    `planned_at` is the moment for which it ran, also where somebody ran it by hand after that moment was missed.
    """

    __tablename__ = "job_run"
    __table_args__ = (Index("ix_job_run_name", "name", "id"),)

    id: int = identity()
    name: str
    planned_at: int | None = moment()
    started_at: int = moment(nullable=False)
    ended_at: int | None = moment()
    by: str
    ok: bool | None = Field(default=None)
    result: dict = document()  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    zh: str = ""
    en: str = ""
