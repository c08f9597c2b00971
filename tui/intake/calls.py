"""The intake's calls to the node. They run in workers, touch no widget and end in a message."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from textual.message import Message

from appliance.codes.values import CodeClass
from tui.client import Refused
from tui.intake.draft import Draft, Facts
from tui.intake.follow import Follow, carry_out
from tui.work import careful, worker

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.context import Context

    Base = Screen[None]
else:
    Base = object

Record = dict[str, Any]
LETTERS_THEN_NUMBER = re.compile(r"^([A-Za-z]+)(\d+)$")
"""`jgyl86`: the letters of a road and a house number, typed in one."""
TYPING_SECONDS = 0.12
"""Ask when the typing rests this long."""


class Items(Message):
    """A list the node told."""

    def __init__(self, items: list[Record]) -> None:
        super().__init__()
        self.items = items


class SourcesRead(Items):
    """The case sources."""


class PlacesRead(Items):
    """Places for what is typed."""


class EarlierRead(Items):
    """Earlier cases of the caller."""


class ConditionsRead(Message):
    """Conditions and limits of the class."""

    def __init__(self, limits: list[Record]) -> None:
        super().__init__()
        self.limits = limits


class FactsRead(Message):
    """What the node would make of it."""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.facts = facts


class TemplatesRead(Items):
    """The classes of the template keys."""


class NotRegistered(Message):
    """The node refused the case; `text` is its sentence."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Registered(Message):
    """The case is taken in; `problem` says why a step after it was refused."""

    def __init__(self, record: Record, problem: str) -> None:
        super().__init__()
        self.record, self.problem = record, problem


class IntakeCalls(Base):
    """Looks things up while the operator types, and registers."""

    context: Context

    def load_sources(self) -> None:
        """Read the case sources."""
        worker(self, self._load_sources(), "sources")

    @careful
    async def _load_sources(self) -> None:
        self.post_message(SourcesRead(await self.context.reference.sources()))

    def find_places(self, typed: str) -> None:
        """Look places up for a typed text."""
        worker(self, self._find_places(typed.strip()), "places")

    @careful
    async def _find_places(self, typed: str) -> None:
        await asyncio.sleep(TYPING_SECONDS)
        apart = LETTERS_THEN_NUMBER.sub(r"\1 \2", typed)
        found = await self.context.client.items("/api/v1/geocode", q=apart) if typed else []
        self.post_message(PlacesRead(found))

    def find_earlier(self, phone: str) -> None:
        """Look up earlier cases of a telephone number."""
        worker(self, self._find_earlier(phone), "earlier")

    @careful
    async def _find_earlier(self, phone: str) -> None:
        await asyncio.sleep(TYPING_SECONDS)
        self.post_message(EarlierRead(await self.context.client.items("/api/v1/cases", phone=phone, limit=20)))

    def find_conditions(self, kind: str, code: str) -> None:
        """Read the conditions of a class."""
        worker(self, self._find_conditions(kind, code), "conditions")

    @careful
    async def _find_conditions(self, kind: str, code: str) -> None:
        self.post_message(ConditionsRead(await self.context.reference.limits(kind, code)))

    def find_facts(self, found: CodeClass | None, place: Record | None) -> None:
        """Ask where the place is, who would handle it and what it may double."""
        if place is not None:
            worker(self, self._find_facts(found, place), "facts")

    @careful
    async def _find_facts(self, found: CodeClass | None, place: Record) -> None:
        await asyncio.sleep(TYPING_SECONDS)
        client = self.context.client
        try:
            facts = Facts(located=await client.get("/api/v1/locate", lon=place["lon"], lat=place["lat"]))
        except Refused as error:
            if error.status != 422:
                raise
            # A position typed half is often outside the county; that is no error yet.
            self.post_message(FactsRead(Facts(problem=error.detail)))
            return
        if found is not None:
            facts.class_code = found.code
            suggestion, facts.duplicates = await asyncio.gather(
                client.get("/api/v1/suggestion", code=found.code, grid=facts.located["grid"]),
                client.items(
                    "/api/v1/duplicates", kind=found.kind, code=found.code, lon=place["lon"], lat=place["lat"]
                ),
            )
            facts.department = suggestion.get("name") or suggestion.get("department") or ""
        self.post_message(FactsRead(facts))

    def load_templates(self) -> None:
        """Read the commonest classes."""
        worker(self, self._load_templates(), "templates")

    @careful
    async def _load_templates(self) -> None:
        self.post_message(TemplatesRead(await self.context.client.items("/api/v1/codes/common")))

    def register(self, draft: Draft, follow: Follow) -> None:
        """Post the draft and take the steps that follow."""
        worker(self, self._register(draft, follow), "register")

    @careful
    async def _register(self, draft: Draft, follow: Follow) -> None:
        client = self.context.client
        try:
            record = await client.post("/api/v1/cases", draft.body, once=draft.once)
        except Refused as error:
            if error.status == 401:
                raise
            self.post_message(NotRegistered(error.detail))
            return
        record, problem = await carry_out(client, record, follow)
        self.post_message(Registered(record, problem))
