"""The tables of patrols. Times are microseconds UTC; tracks of positions live apart (`tracks.py`)."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from appliance.records.base import identity, moment


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
