"""The shapes of the case routes on the wire (CONTRACT.md "HTTP node" and "The case record")."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from appliance.cases.actions import ActionBody
from appliance.cases.report import NewCase
from appliance.errors import FieldError, Invalid
from appliance.moments import micros_of_field
from server.node import CURSOR_AT_MOST

Lon = Annotated[float, msgspec.Meta(ge=-180, le=180, description="Longitude in degrees, EPSG:4490")]
Text = Annotated[str, msgspec.Meta(max_length=4000)]
Name = Annotated[str, msgspec.Meta(max_length=256)]
Condition = Annotated[str, msgspec.Meta(max_length=1000)] | Annotated[int, msgspec.Meta(ge=0, le=9999)] | None
Lat = Annotated[float, msgspec.Meta(ge=-90, le=90, description="Latitude in degrees, EPSG:4490")]


class ReporterBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who reported; kept apart from the case."""

    name: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=30)] | None = None


class OtherSystem(msgspec.Struct, forbid_unknown_fields=True):
    """The number of the case in another system."""

    system: Name
    number: Name
    due_at: datetime | None = None


class Upper(msgspec.Struct, forbid_unknown_fields=True):
    """The number of the case at the platform above."""

    number: Name
    due_at: datetime | None = None
    reply_required: bool = False


class EvidenceRef(msgspec.Struct, forbid_unknown_fields=True):
    """A file uploaded before, and what it shows."""

    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    stage: Literal["report", "verify", "before", "after", "check", "callback", "approval"]


class ReportBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A new case."""

    source: str
    kind: Literal["part", "event"]
    code: str
    description: Text = ""
    lon: Lon
    lat: Lat
    address: Name = ""
    part: str | None = None
    condition: Condition = None
    reporter: ReporterBody | None = None
    camera: Name | None = None
    external: OtherSystem | None = None
    evidence: list[EvidenceRef] = []
    note: Text | None = None
    self_handled: bool = False

    def new_case(self) -> NewCase:
        """The same for the appliance."""
        external = self.external
        return NewCase(
            source=self.source, kind=self.kind, code=self.code, description=self.description, lon=self.lon,
            lat=self.lat, address=self.address, part=self.part, condition=self.condition,
            reporter_name=self.reporter.name if self.reporter else None,
            reporter_phone=self.reporter.phone if self.reporter else None, camera=self.camera,
            external_system=external.system if external else None,
            external_number=external.number if external else None,
            external_due_at=moment_of("external.due_at", external.due_at if external else None),
            evidence=[{"sha256": item.sha256, "stage": item.stage} for item in self.evidence], note=self.note,
            self_handled=self.self_handled,
        )  # fmt: skip


class ActionRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What comes with an action; `needs` and `may` of `GET /api/v1/actions` say which fields go with which."""

    department: str | None = None
    condition: Condition = None
    collector: str | None = None
    result: Text | None = None
    until: datetime | None = None
    reason: Text | None = None
    into: str | None = None
    method: Literal["site", "video", "photo", "phone"] | None = None
    answer: Literal["satisfied", "dissatisfied", "unreachable"] | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    at: datetime | None = None
    evidence: list[EvidenceRef] = []
    note: Text | None = None
    basis: Text | None = None
    supervision: Annotated[int, msgspec.Meta(ge=0, le=CURSOR_AT_MOST)] | None = None
    instruction: Annotated[int, msgspec.Meta(ge=1, le=CURSOR_AT_MOST)] | None = None
    on_behalf_of: str | None = None
    kind: Literal["part", "event"] | None = None
    code: str | None = None
    part: str | None = None
    address: Name | None = None
    description: Text | None = None

    def body(self, now: int) -> ActionBody:
        """The same for the appliance; `now` in microseconds.

        Raises:
            Invalid: a time without zone, or an `until` that is over.
        """
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        values["until"] = moment_ahead("until", self.until, now)
        values["at"] = moment_of("at", self.at)
        values["evidence"] = [{"sha256": item.sha256, "stage": item.stage} for item in self.evidence]
        return ActionBody(**values)


class RequestBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a department asks for."""

    kind: Literal["extension", "suspension", "return", "void", "appeal"]
    reason: Text
    until: datetime | None = None


class DecisionBody(msgspec.Struct, forbid_unknown_fields=True):
    """The answer to a request."""

    approve: bool
    note: Text | None = None


class SupervisionOut(msgspec.Struct):
    """A supervision in a record."""

    id: int
    by: str
    role: str
    note: str
    at: datetime
    due_at: datetime | None
    answered_at: datetime | None
    cleared_at: datetime | None


class RequestOut(msgspec.Struct):
    """A request in a record."""

    id: int
    kind: str
    reason: str
    until: datetime | None
    asked_by: str
    asked_at: datetime
    in_time: bool
    waiting_for: str | None
    approved: bool | None
    decided_at: datetime | None


class EvidenceOut(msgspec.Struct):
    """A file in a record."""

    sha256: str
    type: str
    stage: str
    taken_at: datetime | None
    lon: float | None
    lat: float | None
    share: bool


class LimitOut(msgspec.Struct):
    """A limit and its unit: 紧急工作时, 工作时, 工作日, 自然日."""

    value: float
    unit: str


class CaseOut(msgspec.Struct, kw_only=True):
    """The case record."""

    number: str
    kind: str
    edition: str
    code: str
    class_code: str
    name: str
    condition: str | None
    source: str
    channel: str
    camera: str | None
    description: str
    lon: float
    lat: float
    address: str
    grid: str | None
    duty_grid: str | None
    street: str | None
    community: str | None
    part: str | None
    query_code: str | None
    state: str
    clock: str | None
    due_at: datetime | None
    handle_due_at: datetime | None
    provisional: bool
    limit: LimitOut | None
    resume_at: datetime | None
    department: str | None
    sub_unit: str | None
    department_suggested: str | None
    collector: str | None
    rework: int
    extensions: int
    sub_due_at: datetime | None
    external: dict[str, Any] | None
    upper: dict[str, Any] | None
    flags: list[str]
    supervisions: list[SupervisionOut]
    requests: list[RequestOut]
    merged_into: str | None
    reported_at: datetime
    accepted_at: datetime | None
    filed_at: datetime | None
    dispatched_at: datetime | None
    handled_at: datetime | None
    checked_at: datetime | None
    closed_at: datetime | None
    satisfaction: str | None
    evidence: list[EvidenceOut]
    version: int
    reporter: ReporterBody | None
    light: Literal["green", "yellow", "red"] | None


class CasePage(msgspec.Struct):
    """A page of cases; `next` is the `after` of the next page."""

    items: list[CaseOut]
    next: str | None


class HistoryRow(msgspec.Struct, rename={"from_": "from"}):
    """A history row; further members by action."""

    seq: int
    action: str
    actor: str
    actor_name: str
    role: str
    on_behalf_of: str | None
    at: datetime
    from_: str | None
    to: str
    clock_started: str | None
    clock_stopped: str | None
    due_at: datetime | None
    note: str | None


class History(msgspec.Struct):
    """The history of a case."""

    items: list[HistoryRow]


def moment_of(name: str, value: datetime | None) -> int | None:
    """Microseconds of a time in a body.

    Raises:
        Invalid: it has no zone, or a year in which nothing of ours can happen.
    """
    return None if value is None else micros_of_field(name, value)


def moment_ahead(name: str, value: datetime | None, now: int) -> int | None:
    """The same for a time by which something is to happen.

    Raises:
        Invalid: as above, or it is over already.
    """
    found = moment_of(name, value)
    if found is not None and found <= now:
        raise Invalid(
            f"{name} 须在现在之后。",
            f"{name} must be after now.",
            fields=(FieldError(name, "已经过去", "is over already"),),
        )
    return found
