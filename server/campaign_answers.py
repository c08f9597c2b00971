"""The shapes of campaigns on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from appliance.campaigns.forms import FormField


class CampaignOut(msgspec.Struct):
    """A campaign, how far it is, and the mean points of its targets out of 100."""

    code: str
    name: str
    kind: str
    about: str
    note: str
    form: list[FormField]
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    made_by: str
    targets: int
    answered: int
    points: float | None


class Campaigns(msgspec.Struct):
    """Every campaign, newest first."""

    items: list[CampaignOut]


class Share(msgspec.Struct):
    """How far one street, unit or collector is."""

    subject: str
    targets: int
    answered: int
    points: float | None


class Progress(msgspec.Struct):
    """How far a campaign is, three ways."""

    campaign: str
    street: list[Share]
    department: list[Share]
    collector: list[Share]


class Number(msgspec.Struct):
    """How many targets."""

    targets: int


class TargetOut(msgspec.Struct):
    """A target with its newest answer; `outside` whether that was given outside the grid of the target."""

    id: int
    subject: str
    name: str
    street: str | None
    department: str | None
    lon: float
    lat: float
    collector: str | None
    answers: int
    answered_at: datetime | None
    answered_by: str | None
    points: float | None
    filled: dict[str, Any] | None
    photos: list[str]
    number: str | None
    outside: bool | None


class Targets(msgspec.Struct):
    """A page of targets."""

    items: list[TargetOut]
    next: str | None


class TaskOut(msgspec.Struct):
    """What a collector has still to look at."""

    id: int
    campaign: str
    campaign_name: str
    subject: str
    name: str
    lon: float
    lat: float
    ends_at: datetime


class Tasks(msgspec.Struct):
    """A page of tasks."""

    items: list[TaskOut]
    next: str | None


class AnswerOut(msgspec.Struct):
    """An answer that was taken; `outside` the grid of its target or not, null where that is not known."""

    id: int
    campaign: str
    subject: str
    points: float | None
    outside: bool | None
    at: datetime


class TargetOnMap(msgspec.Struct):
    """A target of a campaign that runs."""

    campaign: str
    subject: str
    name: str
    lon: float
    lat: float
    answered: bool


class TargetsOnMap(msgspec.Struct):
    """How many targets lie in the box, how many are done, and the first 2000 of them."""

    number: int
    answered: int
    items: list[TargetOnMap]
