"""The forms of a case: one for every action out of its `needs` and `may`, one to ask, one to decide, one on behalf.

Building a form may ask the node for its choices, so these are awaited in a worker; they touch no widget.
"""

from __future__ import annotations

from typing import Any

from appliance.cases.workflow import workflow
from appliance.i18n.labels import Labels
from appliance.i18n.phrases import phrases_for
from tui.fields import FILES, MOMENT, PICK, PLACE, TEXT, Choice, Field, Form
from tui.keys import ActionKey
from tui.reference import Reference, condition_choices
from tui.show import short_number

METHODS = ("site", "video", "photo", "phone")
ANSWERS = ("satisfied", "dissatisfied", "unreachable")
STAGES = {
    "verify_true": "verify", "verify_false": "verify", "finish": "after", "check_pass": "check", "check_fail": "check",
    "callback": "callback",
}  # fmt: skip
REQUESTS = {
    "extension": frozenset(["department"]),
    "suspension": frozenset(["department"]),
    "return": frozenset(["department"]),
    "void": frozenset(["department", "acceptor", "dispatcher"]),
    "appeal": frozenset(["department"]),
}
SEATS = frozenset(["acceptor", "dispatcher", "shift_leader"])
FIELD_ROLES = ("collector", "department")
NOT_TELEPHONED = frozenset(["note", "assign"])
"""What a seat writes in its own name, or a department decides within its own house."""
ORDER = (
    "department", "condition", "collector", "into", "answer", "method", "result", "class", "part", "address",
    "description", "reason", "basis", "supervision", "until", "evidence", "place", "at", "note",
)  # fmt: skip


class Forms:
    """Builds the forms of one session."""

    def __init__(self, reference: Reference, labels: Labels, roles: frozenset[str]) -> None:
        self._reference = reference
        self._labels = labels
        self._roles = roles

    async def action(self, record: dict[str, Any], key: ActionKey, duplicates: list[dict[str, Any]]) -> Form:
        """The form of an action."""
        fields = [await self._field(name, record, key, duplicates) for name in _names(key)]
        return Form(
            title=self._labels.pick(key.chinese, key.english),
            about=self._about(record),
            path=f"/api/v1/cases/{record['number']}/actions/{key.action}",
            fields=tuple(field for field in fields if field is not None),
            number=record["number"],
            stage=STAGES.get(key.action, "report"),
        )

    async def bulk(self, records: list[dict[str, Any]], key: ActionKey) -> Form:
        """One form for several cases: not posted by itself, each case gets the filled body.

        An empty department means each case's suggested one; a condition is asked for only where all have one class.
        """
        classes = {(record["kind"], record["code"]) for record in records}
        fields = []
        for name in _names(key):
            if name in ("collector", "part", "description", "address", "class", "place", "evidence"):
                continue
            if name == "condition" and len(classes) > 1:
                continue
            field = await self._field(name, records[0], key, [])
            if name == "department" and field is not None:
                field = Field("department", PICK, False, field.choices, empty=True)
            if field is not None:
                fields.append(field)
        numbers = "  ".join(short_number(record["number"]) for record in records[:6])
        more = f" +{len(records) - 6}" if len(records) > 6 else ""
        title = self._labels("bulk.title", action=self._labels.pick(key.chinese, key.english), count=len(records))
        about = f"{numbers}{more}"
        if any(field.name == "department" for field in fields):
            about = f"{about}\n{self._labels('bulk.department')}"
        return Form(title, about, "", tuple(fields))

    async def on_behalf(self, record: dict[str, Any], key: ActionKey, role: str) -> Form:
        """The form of an action that a collector or department tells by telephone; both names are kept."""
        form = await self.action(record, key, [])
        staff = await self._reference.staff(role)
        if role == "department":
            units = {record["department"], record.get("sub_unit")} - {None}
            staff = [person for person in staff if person["department"] in units] or staff
        choices = tuple(Choice(person["account"], f"{person['name']} {person['account']}") for person in staff)
        accounts = [choice.value for choice in choices]
        usual = record["collector"] if record["collector"] in accounts else accounts[0] if len(accounts) == 1 else ""
        behalf = Field("on_behalf_of", PICK, True, choices, usual)
        note = Field("note", TEXT, True, self._phrases("on_behalf"), self._labels("form.by_telephone"))
        kept = tuple(field for field in form.fields if field.name != "note")
        title = self._labels("form.on_behalf", action=form.title)
        return Form(title, form.about, form.path, (behalf, *kept, note), form.number, stage=form.stage)

    def request(self, record: dict[str, Any]) -> Form:
        """The form to ask for something."""
        kinds = tuple(
            Choice(kind, self._labels(f"request.{kind}")) for kind, roles in REQUESTS.items() if roles & self._roles
        )
        fields = (
            Field("kind", PICK, True, kinds, kinds[0].value if len(kinds) == 1 else ""),
            Field("reason", TEXT, True, self._phrases("reason")),
            Field("until", MOMENT),
        )
        path = f"/api/v1/cases/{record['number']}/requests"
        return Form(self._labels("form.request"), self._about(record), path, fields, record["number"], False)

    def decision(self, record: dict[str, Any], request: dict[str, Any]) -> Form:
        """The form to approve or refuse a request."""
        asked = self._labels(f"request.{request['kind']}")
        yes_no = (Choice("yes", self._labels("form.approve")), Choice("no", self._labels("form.refuse")))
        fields = (Field("approve", PICK, True, yes_no, "yes"), Field("note", TEXT))
        path = f"/api/v1/cases/{record['number']}/requests/{request['id']}/decision"
        about = f"{self._about(record)}\n{asked} {request['asked_by']}: {request['reason']}"
        return Form(self._labels("form.decide", kind=asked), about, path, fields, record["number"], False)

    def waiting_for_me(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """The requests of a case that wait for one of this account's roles."""
        return [
            request
            for request in record.get("requests", [])
            if request["waiting_for"] and not self._roles.isdisjoint(request["waiting_for"].split("|"))
        ]

    def may_request(self, record: dict[str, Any]) -> bool:
        """Whether asking for something is open to this account."""
        return any(roles & self._roles for roles in REQUESTS.values()) and record["state"] not in ("merged", "void")

    def behalf_keys(self, record: dict[str, Any]) -> list[tuple[ActionKey, str]]:
        """What a seat may enter for a collector or a department from this state, with the role it is entered for."""
        if not self._roles & SEATS:
            return []
        found = []
        supervised = any(item["cleared_at"] is None for item in record["supervisions"])
        for action in workflow().allowed(record["state"], FIELD_ROLES):
            if action.name in NOT_TELEPHONED or (action.name == "answer_supervision" and not supervised):
                continue
            role = next(role for role in FIELD_ROLES if role in action.roles)
            if action.called_by == "act":
                key = ActionKey(action.key, action.name, action.chinese, action.english, action.needs, action.may)
                found.append((key, role))
        return found

    async def _field(
        self, name: str, record: dict[str, Any], key: ActionKey, duplicates: list[dict[str, Any]]
    ) -> Field | None:
        required = name in key.needs
        if name == "instruction":  # a reply is written from the ledger of instructions
            return None
        if name == "condition":
            return await self._condition(record)
        if name == "department":
            usual = "" if key.action == "assign" else record.get("department_suggested") or ""
            return Field(name, PICK, required, self._reference.department_choices(), usual)
        if name == "collector":
            staff = await self._reference.staff("collector")
            choices = tuple(Choice(person["account"], f"{person['name']} {person['account']}") for person in staff)
            return Field(name, PICK, required, choices)
        if name == "into":
            choices = tuple(
                Choice(other["number"], f"{short_number(other['number'])} {other['name']} {other['metres']:g} m")
                for other in duplicates
            )
            return Field(name, TEXT, required, choices, choices[0].value if choices else "")
        if name == "supervision":
            return _supervision(record, required)
        return self._plain(name, required, key)

    def _plain(self, name: str, required: bool, key: ActionKey) -> Field:
        if name in ("method", "answer"):
            values = METHODS if name == "method" else ANSWERS
            choices = tuple(Choice(value, self._labels(f"{name}.{value}")) for value in values)
            by_picture = name == "method" and "acceptor" in self._roles
            usual = "" if name == "answer" else "video" if by_picture else "site"
            return Field(name, PICK, required, choices, usual)
        if name == "class":
            return Field(name, PICK, required, finder=self._reference.class_choices)
        if name in ("until", "at"):
            return Field(name, MOMENT, required)
        if name == "place":
            return Field(name, PLACE, required)
        if name == "evidence":
            return Field(name, FILES, required)
        return Field(name, TEXT, required, self._phrases(name, key.action))

    async def _condition(self, record: dict[str, Any]) -> Field | None:
        limits = await self._reference.limits(record["kind"], record["code"])
        if len(limits) < 2:
            return None
        names = [limit["condition_to_open"] for limit in limits]
        usual = str(names.index(record["condition"]) + 1) if record["condition"] in names else ""
        return Field("condition", PICK, True, condition_choices(limits), usual)

    def _phrases(self, name: str, action: str = "") -> tuple[Choice, ...]:
        return tuple(Choice(text, text, letters) for letters, text in phrases_for(name, action, self._labels.language))

    def _about(self, record: dict[str, Any]) -> str:
        name = self._reference.class_text(record, self._labels)
        return f"{short_number(record['number'])} {name} {record['address']}"


def _names(key: ActionKey) -> list[str]:
    """The names of an action's fields in the order of the form; some members share a field."""
    names = set(key.needs) | set(key.may)
    if "lon" in names:
        names = names - {"lon", "lat"} | {"place"}
    if "code" in names:
        names = names - {"code", "kind"} | {"class"}
    return sorted(names, key=lambda name: (name not in key.needs, ORDER.index(name) if name in ORDER else 99))


def _supervision(record: dict[str, Any], required: bool) -> Field | None:
    running = [item for item in record.get("supervisions", []) if item["cleared_at"] is None]
    choices = tuple(Choice(str(item["id"]), f"{item['id']} {item['note']}") for item in running)
    if len(choices) < 2:
        return None
    return Field("supervision", PICK, required, choices, choices[-1].value)
