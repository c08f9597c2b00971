"""The shapes of answers that are sent as ready bytes, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from appliance.codes.values import CodeClass, Limit, Source
from appliance.places.geocode import Candidate
from appliance.places.locate import Near


def shows(shape: Any, status: int = 200, description: str = "The answer") -> dict[int, ResponseSpec]:
    """The good response of a route."""
    return {status: ResponseSpec(shape, description=description, generate_examples=False)}


class ActionNow(msgspec.Struct):
    """An action this account may take now: its key, the fields it needs and those it may have."""

    action: str
    chinese: str
    english: str
    key: str
    needs: list[str]
    may: list[str]
    target: str | None


class ActionsNow(msgspec.Struct):
    """The key bar."""

    items: list[ActionNow]


class StateOut(msgspec.Struct):
    """A state of the loop."""

    key: str
    chinese: str
    english: str
    open: bool


class WorkflowOut(msgspec.Struct):
    """The states in order."""

    states: list[StateOut]


class Classes(msgspec.Struct):
    """Classes, best first."""

    items: list[CodeClass]


class ClassDetail(msgspec.Struct):
    """A class with its conditions and limits, and its number in the other editions."""

    kind: str
    edition: str
    code: str
    class_code: str
    class_name: str
    name: str
    english: str
    initials: str
    provenance: str
    limits: list[Limit]
    editions: dict[str, str | None]
    photo_required: bool


class Sources(msgspec.Struct):
    """The case sources."""

    items: list[Source]


class RemainingOut(msgspec.Struct):
    """What is left of a limit; negative when overdue."""

    value: float
    unit: str


class RunningClock(msgspec.Struct):
    """The running clock of a case at the moment `at`; `remaining` is null when none runs."""

    number: str
    clock: str | None
    due_at: datetime | None
    at: datetime
    remaining: RemainingOut | None
    provisional: bool


class FindingOut(msgspec.Struct):
    """What one check found and what to do about it."""

    check: str
    result: Literal["passed", "warning", "failed", "error", "skipped"]
    zh: str
    en: str


class Findings(msgspec.Struct):
    """The findings of all checks."""

    items: list[FindingOut]


class PhraseOut(msgspec.Struct):
    """A county's ready sentence and the initials that call it up."""

    initials: str
    text: str


class OwnCodes(msgspec.Struct):
    """What the county's code pack adds to the national codes."""

    classes: list[CodeClass]
    phrases: list[PhraseOut]


class Summary(msgspec.Struct):
    """The figures of this moment."""

    at: datetime
    states: dict[str, int]
    open: int
    overdue: int
    reported_today: int
    closed_today: int
    waiting_requests: int


class DepartmentOut(msgspec.Struct):
    """A responsible unit."""

    code: str
    name: str
    parent: str | None
    phone: str | None


class Departments(msgspec.Struct):
    """The tree of units by `parent`."""

    items: list[DepartmentOut]


class Person(msgspec.Struct):
    """An active account."""

    account: str
    name: str
    roles: list[str]
    department: str | None


class Staff(msgspec.Struct):
    """Active accounts."""

    items: list[Person]


class RoleOut(msgspec.Struct):
    """A role and its Chinese name."""

    role: str
    name: str


class Me(msgspec.Struct):
    """Who is signed in."""

    account: str
    name: str
    roles: list[RoleOut]
    department: str | None


class LocatedOut(msgspec.Struct):
    """All that is known about a position, and a proposed address."""

    lon: float
    lat: float
    grid: str | None
    street: str | None
    street_name: str | None
    community: str | None
    community_name: str | None
    duty_grid: str | None
    collector: str | None
    parts: list[Near]
    places: list[Near]
    address: str


class Candidates(msgspec.Struct):
    """Places that may be meant, best first."""

    items: list[Candidate]


class Duplicate(msgspec.Struct):
    """A case that may be the same thing; `why` is part or near."""

    number: str
    code: str
    name: str
    state: str
    address: str
    metres: float
    reported_at: datetime
    why: str


class Duplicates(msgspec.Struct):
    """Cases that may be the same thing, nearest first."""

    items: list[Duplicate]


class Suggestion(msgspec.Struct):
    """The department that probably answers."""

    department: str | None
    name: str | None


class Shapes(msgspec.Struct):
    """A GeoJSON feature collection."""

    type: str
    features: list[dict[str, Any]]


class EvidenceStored(msgspec.Struct):
    """A stored file."""

    sha256: str
    type: str
    stage: str
    taken_at: datetime | None
    lon: float | None
    lat: float | None
    share: bool
    bytes: int
    case: str | None


class LastPosition(msgspec.Struct):
    """The newest position of an account or device; `age` in seconds, `speed` in metres a second."""

    who: str
    name: str
    at: datetime
    age: int
    lon: float
    lat: float
    speed: float | None


class LastPositions(msgspec.Struct):
    """The newest positions."""

    items: list[LastPosition]


class PublicCase(msgspec.Struct):
    """What a citizen sees."""

    number: str
    name: str
    stage: str
    stage_name: str
    open: bool
    reported_at: datetime
    accepted_at: datetime | None
    filed_at: datetime | None
    dispatched_at: datetime | None
    handled_at: datetime | None
    checked_at: datetime | None
    closed_at: datetime | None
    reason: str | None
    waits_until: datetime | None
    merged: bool
