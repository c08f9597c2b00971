"""Importers of duties (确权), old cases and their history; see `provisioning/import_files/kinds.py` for the run.

An old case comes in with the state and the times its file gives. It gets one history row `import`, or, from a history
file, the rows of that file; so it is counted later only where its facts are known. An open one also gets a limit and
the clock of its state, so that the desk can go on with it. A due time in a file is that of handling; a case that is
being handled and comes without one has its whole limit from the import on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from sqlalchemy import Connection, bindparam, text

from appliance.cases import columns, history, record
from appliance.cases.deadlines import Deadlines
from appliance.cases.indexing import index_new_case
from appliance.cases.office import county_calendar, county_limits
from appliance.cases.search import case_tokens
from appliance.cases.step import rewrite_record
from appliance.cases.times import parse_time
from appliance.cases.workflow import workflow
from appliance.codes.values import CodeClass, Source
from appliance.errors import FieldError, UnknownCode
from appliance.places.batches import remember
from appliance.places.importing import ImportContext, Problems, Record, TableImporter, date_of, required_text, text_of
from appliance.records.writer import Unit

Operation = Literal["add", "update", "same"]
IMPORTER = "import"
CASE_TIMES = ("reported_at", "due_at", "closed_at")
CLOCKS = {
    "reported": "accept", "verifying": "verify", "accepted": "file", "filed": "dispatch", "dispatched": "handle",
    "handling": "handle", "handled": "ask_check", "checking": "check", "checked": "close", "coordinating": "coordinate",
}  # fmt: skip
"""The clock that runs in each open state; in `suspended` none does."""

WITH_DEPARTMENT = frozenset(("dispatched", "handling", "suspended", "handled", "checking", "checked"))
_END_SUPERVISIONS = text(
    "UPDATE supervision SET cleared_at = :now WHERE case_id = :id AND cleared_at IS NULL RETURNING id"
)
_END_REQUESTS = text(
    "UPDATE request SET waiting_for = NULL, approved = false, decided_at = :now "
    "WHERE case_id = :id AND waiting_for IS NOT NULL RETURNING id"
)
_STOPPED: dict[str, Any] = {
    "state": "void", "is_open": False, "clock": None, "clock_started_at": None, "due_at": None, "provisional": False,
    "paused_clock": None, "paused_remaining": None, "resume_at": None,
}  # fmt: skip


class DutyImporter(TableImporter):
    """The responsibility table: class and area (code, prefix or `*`), department, basis, dates."""

    fields = {
        "class": ("类别", "类别编码", "code"),
        "area": ("区域", "区域编码", "范围"),
        "department": ("责任单位", "部门", "部门编码"),
        "supervising_department": ("主管部门", "监管部门"),
        "basis": ("依据",),
        "from": ("起始日期", "起", "starts_on"),
        "to": ("终止日期", "止", "ends_on"),
    }
    required = frozenset({"class", "department"})
    table = "duty"
    key = "import_key"
    columns = ("class", "area", "department", "supervising_department", "basis", "starts_on", "ends_on")
    json_columns: ClassVar[frozenset[str]] = frozenset()
    with_geometry = False
    batch_column = None

    def prepare(self, connection: Connection) -> None:
        rows = connection.execute(text("SELECT code, name FROM department WHERE ended_at IS NULL"))
        self._departments = {row.code: row.name for row in rows}
        self._codes = {code for (edition, _, code) in self.context.book.classes if edition == self.context.edition}

    def check(self, row: Mapping[str, Any]) -> Record:
        problems = Problems()
        code = required_text(row, "class", problems)
        area = text_of(row, "area") or "*"
        if code and code != "*" and not any(known.startswith(code) for known in self._codes):
            problems.add("class", f"没有类别 {code}", f"no class {code}")
        if area != "*" and not (area.isdigit() and area.startswith(self.context.county)):
            problems.add("area", f"{area} 不是本县网格编码的前缀", f"{area} is no prefix of this county's grid codes")
        found: Record = {"class": code, "area": area, "basis": text_of(row, "basis") or ""}
        for name in ("department", "supervising_department"):
            value = text_of(row, name)
            if value is not None and value not in self._departments:
                problems.add(name, f"没有部门 {value}", f"no department {value}", tuple(self._departments)[:5])
            found[name] = value
        if not found["department"]:
            problems.add("department", "为空", "is empty")
        found["starts_on"] = date_of(row, "from", problems)
        found["ends_on"] = date_of(row, "to", problems)
        problems.raise_any()
        return {"key": f"{code}/{area}/{found['starts_on'] or ''}", **found}


class CaseImporter:
    """Old cases from another system."""

    geometry: Literal["none", "point", "polygon", "any"] = "point"
    geometry_required = True
    unique = True
    fields: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "number": ("案件号", "案件编号", "任务号"),
        "source": ("问题来源", "来源"),
        "kind": ("种类", "问题类型"),
        "code": ("类别编码", "小类编码", "类别"),
        "description": ("问题描述", "描述"),
        "address": ("事发位置", "地址", "位置"),
        "state": ("状态", "阶段"),
        "department": ("部门", "责任单位", "部门编码"),
        "reported_at": ("上报时间", "发生时间"),
        "due_at": ("到期时间", "应结时间"),
        "closed_at": ("结案时间",),
        "lon": ("经度", "longitude", "x"),
        "lat": ("纬度", "latitude", "y"),
    }
    required: ClassVar[frozenset[str]] = frozenset({"number", "source", "kind", "code", "state", "reported_at"})

    def __init__(self, context: ImportContext) -> None:
        self.context = context

    def prepare(self, connection: Connection) -> None:
        self._departments = set(connection.execute(text("SELECT code FROM department")).scalars())
        self._states = workflow().states
        self._book = self.context.book.with_limits(county_limits(connection))
        settings = self.context.settings
        self._deadlines = Deadlines(county_calendar(connection), settings.desk.office_hours, settings.zone)

    def check(self, row: Mapping[str, Any]) -> Record:
        problems = Problems()
        found: Record = {"number": required_text(row, "number", problems)}
        source = self._source(row, problems)
        found |= {"source": source.code, "channel": source.channel_kind} if source else {}
        found |= self._class(row, problems)
        found["state"] = self._state(row, problems)
        found["description"] = (text_of(row, "description") or "")[:4000]
        found["address"] = (text_of(row, "address") or "")[:256]
        found["department"] = text_of(row, "department")
        if found["department"] is not None and found["department"] not in self._departments:
            problems.add("department", f"没有部门 {found['department']}", f"no department {found['department']}")
        if found["department"] is None and found["state"] in WITH_DEPARTMENT:
            chinese = self._states[found["state"]].chinese
            zh, en = f"“{chinese}”的案件须写承办部门", f"a case that is {found['state']} must name its department"
            problems.add("department", zh, en)
        for name in CASE_TIMES:
            found[name] = parse_time(row.get(name), self.context.zone, name, problems)
        if found["reported_at"] is None and row.get("reported_at") is None:
            problems.add("reported_at", "为空", "is empty")
        problems.raise_any()
        point = row["geometry"]
        found |= {"lon": point.x, "lat": point.y, "attributes": row.get("attributes") or {}}
        return {"key": found["number"], **found}

    def complete(self, records: Sequence[Record]) -> Sequence[tuple[int, FieldError]]:
        """Nothing for many at once: the grid is looked up when a case is written."""
        return ()

    def compare(self, connection: Connection, records: Sequence[Record]) -> Sequence[Operation]:
        """A case that is there already stays as it is: what happened to it here is worth more than its file."""
        statement = text("SELECT number FROM cases WHERE number IN :numbers").bindparams(
            bindparam("numbers", expanding=True)
        )
        there: set[str] = set()
        keys = [item["key"] for item in records]
        for start in range(0, len(keys), 500):
            there.update(connection.execute(statement, {"numbers": keys[start : start + 500]}).scalars())
        return ["same" if key in there else "add" for key in keys]

    def apply(self, unit: Unit, batch: int, changes: Sequence[tuple[str, Record]]) -> None:
        """Write old cases: row, record, one chained history row, feed."""
        remember(unit, batch, [(item["key"], None) for operation, item in changes if operation == "add"])
        for operation, item in changes:
            if operation == "add":
                self._write(unit, item)

    def finish(self, unit: Unit, batch: int) -> None:
        """Nothing depends on all cases together."""

    def restore(self, unit: Unit, changes: Sequence[tuple[str, str | None]]) -> None:
        """Taken-back cases become void: history is never deleted."""
        for number, _ in changes:
            case = columns.load(unit.connection, number)
            if case is None or case["state"] == "void":
                continue
            before, version = case["state"], case["version"] + 1
            case |= {**_STOPPED, "version": version}
            columns.update(unit.connection, case["id"], {**_STOPPED, "version": version})
            append_imported(unit, case, self.context.actor, before=before, action="undo_import")
            for kind, statement in (("supervision", _END_SUPERVISIONS), ("request", _END_REQUESTS)):
                for row in unit.connection.execute(statement, {"now": unit.now, "id": case["id"]}):
                    unit.changed(kind, str(row.id))
            rewrite_record(unit, case)

    def _write(self, unit: Unit, item: Record) -> None:
        from appliance.places.locate import locate_grid

        hit = locate_grid(unit.connection, item["lon"], item["lat"])
        state = self._states[item["state"]]
        names = ("number", "source", "channel", "kind", "edition", "code", "class_code", "name", "state", "description")
        case = columns.EMPTY | {name: item[name] for name in (*names, "address", "department", "lon", "lat")}
        case |= {"is_open": state.is_open, "reported_at": item["reported_at"], "closed_at": item["closed_at"]}
        case |= {"handle_due_at": item["due_at"], "flags": "imported"}
        if state.is_open:
            case |= self._limit(item)
            case |= self._clock(item, case, unit.now)
        if hit is not None:
            case |= {
                "grid": hit.grid, "street": hit.street, "community": hit.community, "duty_grid": hit.duty_grid,
            }  # fmt: skip
        case["id"] = columns.insert(unit.connection, case)
        self._note_import(unit, case)
        unit.connection.execute(
            text("INSERT INTO case_record (id, masked, search) VALUES (:id, :masked, :search)"),
            {"id": case["id"], "masked": record.build(case, reporter=None), "search": case_tokens(case)},
        )
        index_new_case(unit, case["id"], case_tokens(case))
        unit.changed("case", case["number"])

    def _note_import(self, unit: Unit, case: Record) -> None:
        """The row of the import; of an open case with a unit it says whose it is and by when, for its scores."""
        row = _row(unit, case, self.context.actor, action=IMPORTER, before=None, state=case["state"])
        if case["is_open"] and case["department"] is not None and case["state"] in WITH_DEPARTMENT:
            row |= {"detail": {"department": case["department"]}, "due_at": case["due_at"] or case["handle_due_at"]}
            row["clock_started"] = case["clock"] if case["clock"] == "handle" else None
        history.append(unit, row)

    def _limit(self, item: Record) -> Record:
        """The only limit of the class, else the county's default, which is flagged."""
        limits = self._book.limits(item["edition"], item["kind"], item["code"])
        if len(limits) == 1 and limits[0].value is not None:
            only = limits[0]
            return {"condition": only.condition_to_open, "limit_value": only.value, "limit_unit": only.unit}
        default = self._book.default_limit
        return {"limit_value": default.value, "limit_unit": default.unit, "flags": "default_limit imported"}

    def _clock(self, item: Record, case: Record, now: int) -> Record:
        """The clock of the state; only handling has a due time, the stages before and after it are not measured."""
        value, unit = case["limit_value"], case["limit_unit"]
        if item["state"] == "suspended":
            return {"paused_clock": "handle", "paused_remaining": value}
        clock = CLOCKS[item["state"]]
        if clock != "handle":
            return {"clock": clock}
        started, due_at, granted, provisional = item["reported_at"], item["due_at"], value, False
        if due_at is None:
            due = self._deadlines.due(now, value, unit)
            started, due_at, provisional = now, due.at, due.provisional
        else:
            granted = self._deadlines.remaining(started, due_at, unit)
        return {
            "clock": clock, "clock_started_at": started, "handle_started_at": started, "due_at": due_at,
            "granted": granted, "provisional": provisional,
        }  # fmt: skip

    def _source(self, row: Mapping[str, Any], problems: Problems) -> Source | None:
        written = required_text(row, "source", problems)
        sources = self.context.book.sources
        found = sources.get(written) or next((item for item in sources.values() if item.name == written), None)
        if written and found is None:
            problems.add("source", f"没有问题来源“{written}”", f"no source '{written}'", tuple(sources)[:6])
        return found

    def _class(self, row: Mapping[str, Any], problems: Problems) -> Record:
        kind = {"部件": "part", "事件": "event"}.get(required_text(row, "kind", problems), str(row.get("kind")))
        code = required_text(row, "code", problems)
        try:
            found: CodeClass = self.context.book.find(self.context.edition, kind, code)
        except UnknownCode as error:
            problems.errors.extend(error.fields)
            return {}
        return {
            "kind": found.kind, "edition": found.edition, "code": found.code, "class_code": found.class_code,
            "name": found.name,
        }  # fmt: skip

    def _state(self, row: Mapping[str, Any], problems: Problems) -> str:
        written = required_text(row, "state", problems)
        by_name = {state.chinese: key for key, state in self._states.items()}
        key = written if written in self._states else by_name.get(written, "")
        if written and not key:
            problems.add("state", f"没有状态“{written}”", f"no state '{written}'", tuple(self._states)[:8])
        return key


class HistoryImporter:
    """History rows of imported cases; appended after the row that imported the case."""

    geometry: Literal["none", "point", "polygon", "any"] = "none"
    geometry_required = False
    unique = True
    fields: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "number": ("案件号", "案件编号"),
        "action": ("动作", "环节"),
        "actor": ("操作人", "经办人"),
        "at": ("时间", "操作时间"),
        "department": ("部门",),
        "due_at": ("到期时间",),
    }
    required: ClassVar[frozenset[str]] = frozenset({"number", "action", "actor", "at"})

    def __init__(self, context: ImportContext) -> None:
        self.context = context

    def prepare(self, connection: Connection) -> None:
        self._connection = connection
        self._workflow = workflow()

    def check(self, row: Mapping[str, Any]) -> Record:
        problems = Problems()
        found: Record = {name: required_text(row, name, problems) for name in ("number", "action", "actor")}
        by_name = {action.chinese: name for name, action in self._workflow.actions.items()}
        found["action"] = by_name.get(found["action"], found["action"])
        if found["action"] and found["action"] not in self._workflow.actions:
            near = tuple(self._workflow.actions)[:6]
            problems.add("action", f"没有动作“{found['action']}”", f"no action '{found['action']}'", near)
        found["department"] = text_of(row, "department")
        found["at"] = parse_time(row.get("at"), self.context.zone, "at", problems)
        found["due_at"] = parse_time(row.get("due_at"), self.context.zone, "due_at", problems)
        problems.raise_any()
        return {"key": f"{found['number']}/{found['at']}/{found['action']}", **found}

    def complete(self, records: Sequence[Record]) -> Sequence[tuple[int, FieldError]]:
        """Refuse rows of cases that are not here or were not imported."""
        refused = []
        for position, item in enumerate(records):
            case = columns.load(self._connection, item["number"])
            if case is None or "imported" not in case["flags"].split():
                zh, en = f"没有导入过案件 {item['number']}", f"case {item['number']} was not imported"
                refused.append((position, FieldError("number", zh, en)))
        return refused

    def compare(self, connection: Connection, records: Sequence[Record]) -> Sequence[Operation]:
        """A row with the same case, time and action is there already."""
        statement = text(
            "SELECT 1 FROM case_action a JOIN cases c ON c.id = a.case_id "
            "WHERE c.number = :number AND a.at = :at AND a.action = :action"
        )
        found: list[Operation] = []
        for item in records:
            values = {name: item[name] for name in ("number", "at", "action")}
            found.append("same" if connection.execute(statement, values).first() else "add")
        return found

    def apply(self, unit: Unit, batch: int, changes: Sequence[tuple[str, Record]]) -> None:
        """Append the rows in the order of their times."""
        added = sorted((item for operation, item in changes if operation == "add"), key=lambda item: item["at"])
        remember(unit, batch, [(item["key"], None) for item in added])
        cases: dict[str, dict[str, Any]] = {}
        for item in added:
            case = cases.get(item["number"]) or columns.load(unit.connection, item["number"])
            assert case is not None
            cases[item["number"]] = case
            action = self._workflow.actions[item["action"]]
            case["version"] += 1
            state = action.target or case["state"]
            row = _row(unit, case, item["actor"], action=action.name, before=None, state=state)
            row |= {"at": item["at"], "due_at": item["due_at"], "clock_started": action.started}
            row["detail"] = {"imported": True} | ({"department": item["department"]} if item["department"] else {})
            history.append(unit, row)
        for case in cases.values():
            columns.update(unit.connection, case["id"], {"version": case["version"]})
            rewrite_record(unit, case)

    def finish(self, unit: Unit, batch: int) -> None:
        """Nothing depends on all rows together."""

    def restore(self, unit: Unit, changes: Sequence[tuple[str, str | None]]) -> None:
        """History is never deleted, so its import cannot be taken back.

        Raises:
            Invalid: always.
        """
        problems = Problems()
        problems.add("batch", "历史记录只增不删，不能撤销", "history is append-only and cannot be undone")
        problems.raise_any()


def append_imported(unit: Unit, case: dict[str, Any], actor: str, *, before: str | None, action: str) -> None:
    """The history row of an import."""
    history.append(unit, _row(unit, case, actor, action=action, before=before, state=case["state"]))


def _row(
    unit: Unit, case: dict[str, Any], actor: str, *, action: str, before: str | None, state: str
) -> dict[str, Any]:
    return {
        "case_id": case["id"], "seq": case["version"], "number": case["number"], "action": action, "actor": actor,
        "actor_name": actor, "role": "technician", "on_behalf_of": None, "at": unit.now, "from_state": before,
        "to_state": state, "clock_started": None, "clock_stopped": None, "due_at": None, "detail": None, "note": None,
    }  # fmt: skip
