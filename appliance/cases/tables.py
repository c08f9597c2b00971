"""The tables of cases. All times are microseconds UTC; positions are EPSG:4490."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, Integer, Text
from sqlmodel import Field, SQLModel

from appliance.records.base import document, geometry, identity, moment, only

HAS_DEPARTMENT = only("department IS NOT NULL")
"""A case that is not dispatched yet costs these indexes nothing."""

CALLBACK = "satisfaction IS NULL AND handled_at IS NOT NULL AND state IN ('checked', 'closed')"
"""A case whose reporter is to be told and asked: handled here, checked or closed, not called back yet."""


class Case(SQLModel, table=True):
    """One case: the columns that are filtered, sorted or computed with."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_state", "state", "id", "lon", "lat"),
        Index("ix_cases_department", "department", "id", "lon", "lat", **HAS_DEPARTMENT),
        Index("ix_cases_code", "code", "id", "lon", "lat"),
        Index(
            "ix_cases_state_department",
            "state",
            "department",
            "id",
            "lon",
            "lat",
            **HAS_DEPARTMENT,
        ),
        Index("ix_cases_state_code", "state", "code", "id", "lon", "lat"),
        Index(
            "ix_cases_department_code",
            "department",
            "code",
            "id",
            "lon",
            "lat",
            **HAS_DEPARTMENT,
        ),
        Index(
            "ix_cases_state_department_code",
            "state",
            "department",
            "code",
            "id",
            "lon",
            "lat",
            **HAS_DEPARTMENT,
        ),
        Index("ix_cases_part", "part", "id", **only("part IS NOT NULL")),
        Index("ix_cases_collector", "collector", "id", **only("is_open")),
        Index("ix_cases_duty_grid", "duty_grid", "id", **only("is_open")),
        Index("ix_cases_sub_unit", "sub_unit", "id", **only("is_open AND sub_unit IS NOT NULL")),
        Index("ix_cases_registered_by", "registered_by", "id", **only("is_open")),
        Index("ix_cases_due_at", "due_at", "id", **only("is_open AND due_at IS NOT NULL")),
        Index("ix_cases_resume_at", "resume_at", **only("resume_at IS NOT NULL")),
        Index("ix_cases_provisional", "provisional", **only("provisional")),
        Index("ix_cases_reported_at", "reported_at"),
        Index("ix_cases_closed_at", "closed_at", **only("closed_at IS NOT NULL")),
        Index("ix_cases_merged_into", "merged_into", **only("merged_into IS NOT NULL")),
        Index("ix_cases_callback_public", "id", **only(f"channel = 'public' AND {CALLBACK}")),
        Index("ix_cases_callback_other", "id", **only(f"channel <> 'public' AND reachable AND {CALLBACK}")),
        Index("ix_cases_open", "id", "state", "department", "code", "lon", "lat", "due_at", **only("is_open")),
    )

    id: int = identity()
    number: str = Field(sa_column_kwargs={"unique": True})
    query_code: str | None = Field(default=None, sa_column_kwargs={"unique": True})
    version: int = 1
    kind: str
    edition: str
    code: str
    class_code: str
    name: str
    condition: str | None = None
    source: str
    channel: str
    external_system: str | None = None
    external_number: str | None = None
    external_due_at: int | None = moment()
    upper_number: str | None = None
    upper_due_at: int | None = moment()
    upper_reply_required: bool | None = None
    camera: str | None = None
    description: str = ""
    lon: float
    lat: float
    address: str = ""
    grid: str | None = None
    duty_grid: str | None = None
    street: str | None = None
    community: str | None = None
    part: str | None = None
    state: str
    is_open: bool = True
    clock: str | None = None
    clock_started_at: int | None = moment()
    due_at: int | None = moment()
    handle_due_at: int | None = moment()
    handle_started_at: int | None = moment()
    provisional: bool = False
    limit_value: float | None = None
    limit_unit: str | None = None
    granted: float | None = None
    paused_remaining: float | None = None
    paused_clock: str | None = None
    resume_at: int | None = moment()
    department: str | None = None
    sub_unit: str | None = None
    sub_due_at: int | None = moment()
    department_suggested: str | None = None
    collector: str | None = None
    registered_by: str | None = None
    reachable: bool = False
    rework: int = 0
    extensions: int = 0
    flags: str = ""
    merged_into: str | None = None
    before_merge: str | None = None
    reported_at: int = moment(nullable=False)
    accepted_at: int | None = moment()
    filed_at: int | None = moment()
    dispatched_at: int | None = moment()
    handled_at: int | None = moment()
    checked_at: int | None = moment()
    closed_at: int | None = moment()
    satisfaction: str | None = None
    geom: Any = geometry("POINT")


class CaseRecord(SQLModel, table=True):
    """Beside each case: its public record as masked JSON, ready to send, and its search tokens."""

    __tablename__ = "case_record"

    id: int = identity()
    masked: str = Field(sa_column=Column(Text, nullable=False))
    search: str = Field(sa_column=Column(Text, nullable=False))


class Reporter(SQLModel, table=True):
    """The only place where the person who reported stands."""

    __tablename__ = "reporter"
    __table_args__ = (Index("ix_reporter_phone", "phone", "id"),)

    id: int = identity()
    name: str | None = None
    phone: str | None = None
    email: str | None = None


class CaseAction(SQLModel, table=True):
    """One history row. Appended, never edited; chained by `hash`. `detail` holds no free text and no personal data."""

    __tablename__ = "case_action"
    __table_args__ = (
        Index("ix_case_action_case", "case_id", "seq", unique=True),
        Index("ix_case_action_at", "at", "case_id"),
        Index("ix_case_action_instruct", "id", **only("action = 'instruct'")),
        Index("ix_case_action_reopen", "case_id", **only("action = 'reopen'")),
    )

    id: int = identity()
    case_id: int
    seq: int
    number: str
    action: str
    actor: str
    actor_name: str
    role: str
    on_behalf_of: str | None = None
    at: int = moment(nullable=False)
    from_state: str | None = None
    to_state: str
    clock_started: str | None = None
    clock_stopped: str | None = None
    due_at: int | None = moment()
    detail: dict = document(nullable=True)  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    note: str | None = None
    note_salt: str | None = None
    note_digest: str | None = None
    previous: str
    hash: str


class Request(SQLModel, table=True):
    """A department's request on a case, and its decision."""

    __tablename__ = "request"
    __table_args__ = (
        Index("ix_request_case_id", "case_id"),
        Index("ix_request_waiting", "waiting_for", **only("waiting_for IS NOT NULL")),
    )

    id: int = identity()
    case_id: int
    number: str
    kind: str
    reason: str
    until: int | None = moment()
    asked_by: str
    asked_at: int = moment(nullable=False)
    in_time: bool = True
    waiting_for: str | None = None
    decisions: list = document()  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised list here
    approved: bool | None = None
    decided_at: int | None = moment()


class Supervision(SQLModel, table=True):
    """A supervision with its own due time; several may run on one case."""

    __tablename__ = "supervision"
    __table_args__ = (
        Index("ix_supervision_case_id", "case_id"),
        Index("ix_supervision_running", "id", **only("cleared_at IS NULL")),
    )

    id: int = identity()
    case_id: int
    number: str
    by: str = Field(sa_column_kwargs={"name": "supervisor"})
    role: str
    note: str = ""
    at: int = moment(nullable=False)
    due_at: int | None = moment()
    answered_at: int | None = moment()
    cleared_at: int | None = moment()


class Evidence(SQLModel, table=True):
    """A file in the content-addressed store. It may exist before its case does."""

    __tablename__ = "evidence"
    __table_args__ = (Index("ix_evidence_case_id", "case_id"), Index("ix_evidence_sha256", "sha256"))

    id: int = identity()
    sha256: str
    type: str
    bytes: int
    case_id: int | None = None
    stage: str
    taken_at: int | None = moment()
    lon: float | None = None
    lat: float | None = None
    share: bool = True
    uploaded_by: str
    uploaded_at: int = moment(nullable=False)


class PhotoLook(SQLModel, table=True):
    """A quarter of a picture's look (`photo_looks.py`), by which a picture that was used before is found."""

    __tablename__ = "photo_look"

    quarter: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    sha256: str = Field(primary_key=True)
    look: str


class CaseCounter(SQLModel, table=True):
    """The last serial given in each numbering period."""

    __tablename__ = "case_counter"

    period: str = Field(primary_key=True)
    last: int


class Duty(SQLModel, table=True):
    """The responsibility table (确权): which unit answers for a class in an area, on which basis, from when to when."""

    __tablename__ = "duty"
    __table_args__ = (Index("ix_duty_class_area", "class", "area"),)

    id: int = identity()
    class_: str = Field(sa_column_kwargs={"name": "class"})
    area: str
    department: str
    supervising_department: str | None = None
    basis: str = ""
    starts_on: str | None = None
    ends_on: str | None = None
    import_key: str | None = Field(default=None, sa_column_kwargs={"unique": True})


class DispatchMemory(SQLModel, table=True):
    """How often a class in a street went to a department: the suggestion of last resort."""

    __tablename__ = "dispatch_memory"

    code: str = Field(primary_key=True)
    street: str = Field(primary_key=True)
    department: str = Field(primary_key=True)
    count: int


class CalendarDay(SQLModel, table=True):
    """A day that differs from its weekday, or makes its year known. `day` is YYYY-MM-DD."""

    __tablename__ = "calendar_day"

    day: str = Field(primary_key=True)
    is_workday: bool
    name: str = ""


class Limit(SQLModel, table=True):
    """The county's own opening and closing conditions and limits; replaces the pack's for the codes it names."""

    __tablename__ = "case_limit"
    __table_args__ = (Index("ix_case_limit_code", "kind", "code"),)

    id: int = identity()
    kind: str
    code: str
    name: str
    condition_to_open: str = ""
    condition_to_close: str = ""
    limit_value: float | None = None
    limit_unit: str | None = None
    urgency: str = "normal"
    provenance: str = ""


class SeatCall(SQLModel, table=True):
    """A telephone call that rang at a seat; `case_number` is the case that was registered from it."""

    __tablename__ = "seat_call"
    __table_args__ = (
        Index("ix_seat_call_seat", "seat", "id"),
        Index("ix_seat_call_caller", "seat", "number", "id"),
        Index("ix_seat_call_at", "at"),
        Index("ix_seat_call_unanswered", "id", **only("answered_at IS NULL")),
    )

    id: int = identity()
    number: str
    seat: str
    recording: str | None = None
    at: int = moment(nullable=False)
    answered_at: int | None = moment()
    answered_by: str | None = None
    case_number: str | None = None
