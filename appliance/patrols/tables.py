"""The tables of patrols. Times are microseconds UTC; tracks of positions and walks live apart (`day_file.py`)."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from appliance.records.base import document, identity, moment


class CameraLook(SQLModel, table=True):
    """One look through a camera. Appended, never edited; `found` is nothing or problem, `number` the case it led to."""

    __tablename__ = "camera_look"
    __table_args__ = (Index("ix_camera_look_camera", "camera", "at"),)

    id: int = identity()
    camera: str
    account: str
    shift_id: int | None = None
    at: int = moment(nullable=False)
    found: str = Field(default="nothing")
    note: str = ""
    number: str | None = None


class PatrolDay(SQLModel, table=True):
    """What became of the walked plan of a duty grid on a county day; counted anew when positions come late.

    `walkers` has the accounts that passed its unit grids and how many each, `rounds` when each round began and ended.
    """

    __tablename__ = "patrol_day"

    day: str = Field(primary_key=True)
    duty_grid: str = Field(primary_key=True)
    collector: str | None = None
    rounds_due: int
    rounds_done: int
    grids: int
    needed: int
    passed: int
    last_at: int | None = moment()
    last_by: str | None = None
    walkers: list = document()  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised list here
    rounds: list = document()  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised list here
    counted_at: int = moment(nullable=False)
