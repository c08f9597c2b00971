"""The tables of campaigns 专项普查: a named survey, its targets, and the answers from the field."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from appliance.records.base import document, identity, moment, only


class Campaign(SQLModel, table=True):
    """A survey over objects or grids with a form of its own. `form` is a list of fields (`forms.py`)."""

    __tablename__ = "campaign"

    code: str = Field(primary_key=True)
    name: str
    kind: str
    about: str
    form: list = document()  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised list here
    note: str = ""
    starts_at: int = moment(nullable=False)
    ends_at: int = moment(nullable=False)
    made_by: str
    made_at: int = moment(nullable=False)
    ended_at: int | None = moment()


class CampaignTarget(SQLModel, table=True):
    """What is to be looked at: a unit grid, a part, or an object of the campaign's own list (a shop, a site)."""

    __tablename__ = "campaign_target"
    __table_args__ = (
        Index("ix_campaign_target_subject", "campaign", "subject", unique=True),
        Index("ix_campaign_target_collector", "collector", "campaign"),
    )

    id: int = identity()
    campaign: str
    subject: str
    name: str
    street: str | None = None
    department: str | None = None
    lon: float
    lat: float
    collector: str | None = None
    answers: int = 0
    answered_at: int | None = moment()
    points: float | None = None


class CampaignAnswer(SQLModel, table=True):
    """One filled form. Appended, never edited; the newest one of a target counts.

    Attributes:
        outside: whether it was answered outside the unit grid of its target; None where that is not known.
    """

    __tablename__ = "campaign_answer"
    __table_args__ = (Index("ix_campaign_answer_target", "target"),)

    id: int = identity()
    campaign: str
    target: int
    answered_by: str
    at: int = moment(nullable=False)
    lon: float | None = None
    lat: float | None = None
    outside: bool | None = None
    filled: dict = document()  # type: ignore[type-arg]  # as above
    photos: list = document()  # type: ignore[type-arg]  # as above
    points: float | None = None
    number: str | None = None


class WeatherPlan(SQLModel, table=True):
    """A plan for weather or an emergency, from its start to its end; each runs once at a time."""

    __tablename__ = "weather_plan"
    __table_args__ = (Index("ix_weather_plan_running", "plan", unique=True, **only("ended_at IS NULL")),)

    id: int = identity()
    plan: str
    reason: str = ""
    started_by: str
    started_at: int = moment(nullable=False)
    ended_by: str | None = None
    ended_at: int | None = moment()
