"""The shift screen's calls to the node. They run in workers, touch no widget and end in a message."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.fields import PICK, TEXT, Choice, Field, Form
from tui.messages import Told
from tui.shift.text import open_items_text
from tui.work import careful, worker

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.context import Context

    Base = Screen[None]
else:
    Base = object

Record = dict[str, Any]
PAGE = 100
LISTED = 4
"""Case numbers of a kind in the form; all that the node lists stand in the handover."""


class ShiftPageRead(Message):
    """What a page of the screen shows; `more` when it goes on below what is there."""

    def __init__(self, page: str, found: Record, *, more: bool = False) -> None:
        super().__init__()
        self.page, self.found, self.more = page, found, more


class FormReady(Message):
    """A form to fill, and what is said when it is done."""

    def __init__(self, form: Form, done: str) -> None:
        super().__init__()
        self.form, self.done = form, done


class ShiftCalls(Base):
    """Loads the pages, posts what needs no form, builds the forms."""

    context: Context
    page: str
    log_kind: str
    first_day: str

    @property
    def works_at_desk(self) -> bool:
        """Whether this account has shifts; the screen itself knows."""
        raise TypeError("the shift screen knows its roles")

    def load(self, after: str | None = None) -> None:
        """Read the page that is shown, or what follows it."""
        worker(self, partial(self._load, self.page, after), "page")

    @careful
    async def _load(self, page: str, after: str | None) -> None:
        client = self.context.client
        if page == "now":
            found = {"now": await client.get("/api/v1/shifts/now"), "handovers": []}
            if self.works_at_desk:
                found["handovers"] = await client.items("/api/v1/handovers", waiting=True, limit=PAGE)
            if "shift_leader" in self.context.roles:
                found["patrols"] = (await client.get("/api/v1/patrols/alarms", limit=1))["numbers"]
        elif page == "roster":
            found = await client.get("/api/v1/roster", days=7, **{"from": self.first_day})
        elif page == "log":
            found = await client.get("/api/v1/shift-log", kind=self.log_kind, after=after, limit=PAGE)
        else:
            found = await client.get(f"/api/v1/{page}", after=after, limit=PAGE)
        self.post_message(ShiftPageRead(page, found, more=after is not None))

    def post(self, path: str, body: Record, said: str, *, method: str = "POST") -> None:
        """Post something that needs no form, say it, and read the page again."""
        worker(self, self._post(path, body, said, method), "post")

    @careful
    async def _post(self, path: str, body: Record, said: str, method: str) -> None:
        client = self.context.client
        answer = await (client.put(path, body) if method == "PUT" else client.post(path, body))
        self.post_message(Told(said.format(count=answer.get("entries", "")), good=True))
        await self._load(self.page, None)

    def build_sign_on(self, now: Record) -> None:
        """The form to sign on, with the turn that is likely."""
        labels, session = self.context.labels, self.context.session
        turns = tuple(
            Choice(turn["turn"], f"{labels.pick(turn['name'], turn['english'])} {turn['begins']}-{turn['ends']}")
            for turn in now["turns"]
        )
        fields = (
            Field("shift", PICK, True, turns, now["suggested"] or ""),
            Field("seat", TEXT, False, default=session.account if session else ""),
        )
        form = Form(labels("key.sign_on"), "", "/api/v1/shifts", fields, versioned=False)
        self.post_message(FormReady(form, "shift.signed_on"))

    def build_sign_off(self, mine: Record) -> None:
        """The form to hand over, above which stands what is open now."""
        worker(self, self._build_sign_off(mine), "form")

    @careful
    async def _build_sign_off(self, mine: Record) -> None:
        labels = self.context.labels
        items = await self.context.client.get("/api/v1/shifts/open-items")
        about = "\n".join([labels("shift.open_items"), *open_items_text(items, labels, LISTED)])
        note = Field("note", TEXT, True)
        path = f"/api/v1/shifts/{mine['id']}/end"
        self.post_message(
            FormReady(Form(labels("key.sign_off"), about, path, (note,), versioned=False), "shift.signed_off")
        )

    def build_reply(self, item: Record) -> None:
        """The form of a reply: a note of the case that names the instruction."""
        labels = self.context.labels
        about = f"{item['actor_name']}: {item['note'] or ''}"
        path = f"/api/v1/cases/{item['case']}/actions/note"
        fixed = (("instruction", item["seq"]),)
        form = Form(labels("key.reply"), about, path, (Field("note", TEXT, True),), item["case"], fixed=fixed)
        worker(self, self._build_reply(form), "form")

    @careful
    async def _build_reply(self, form: Form) -> None:
        record = await self.context.client.get(f"/api/v1/cases/{form.number}")
        self.post_message(ReplyReady(form, int(record["version"])))

    def read_case(self, number: str) -> None:
        """Read a case to open it on the desk."""
        worker(self, self._read_case(number), "case")

    @careful
    async def _read_case(self, number: str) -> None:
        self.post_message(CaseRead(await self.context.client.get(f"/api/v1/cases/{number}")))


class ReplyReady(Message):
    """The form of a reply and the version of its case."""

    def __init__(self, form: Form, version: int) -> None:
        super().__init__()
        self.form, self.version = form, version


class CaseRead(Message):
    """A case to open on the desk."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.record = record
