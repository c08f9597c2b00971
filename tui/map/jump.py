"""Jump to a place: Chinese, pinyin, part code, road and number, or coordinates."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.messages import Told
from tui.widgets.line import Line
from tui.work import careful, worker

if TYPE_CHECKING:
    from tui.context import Context

Record = dict[str, Any]
TYPING_SECONDS = 0.12
LETTERS_THEN_NUMBER = re.compile(r"^([A-Za-z]+)(\d+)$")
"""`jgyl86`: the letters of a road and a house number, typed in one."""


class JumpScreen(ModalScreen["Record | None"]):
    """A line to type in and the places that fit; Enter takes one."""

    DEFAULT_CSS = """
    JumpScreen { align: center top; background: $background; }
    JumpScreen > Vertical { width: 76; height: auto; border: solid $primary; padding: 0 1; margin: 1 0; }
    JumpScreen OptionList { height: auto; max-height: 14; border: none; }
    """
    BINDINGS = [
        Binding("escape", "give_up", "key.cancel", id="map_jump.cancel"),
        Binding("down", "walk(1)", "key.next_choice", id="jump.next"),
        Binding("up", "walk(-1)", "key.previous_choice", id="jump.previous"),
    ]

    class Found(Message):
        """Places for what is typed."""

        def __init__(self, typed: str, items: list[Record]) -> None:
            super().__init__()
            self.typed, self.items = typed, items

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._seat = context
        self._found: list[Record] = []
        self._of = ""
        self._waiting = False

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._seat.labels("map.jump"), id="said", markup=False)
            yield Line(id="typed")
            options = OptionList(id="found", markup=False)
            options.can_focus = False
            yield options

    def on_mount(self) -> None:
        self.query_one(Line).focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._waiting = False
        worker(self, partial(self._find, event.value.strip()), "places")

    @careful
    async def _find(self, typed: str) -> None:
        await asyncio.sleep(TYPING_SECONDS)
        apart = LETTERS_THEN_NUMBER.sub(r"\1 \2", typed)
        found = await self._seat.client.items("/api/v1/geocode", q=apart) if typed else []
        self.post_message(self.Found(typed, found))

    @on(Found)
    def _places_found(self, event: Found) -> None:
        if event.typed != self.query_one(Line).value.strip():
            return
        self._found, self._of = event.items, event.typed
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(place_text(item)) for item in event.items])
        if event.items:
            options.highlighted = 0
        if self._waiting:
            self._take()

    @on(Told)
    def _told(self, event: Told) -> None:
        event.stop()
        self.query_one("#said", Static).update(event.text)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip() == self._of:
            self._take()
        else:
            self._waiting = True  # typed ahead of the answer

    def _take(self) -> None:
        at = self.query_one(OptionList).highlighted
        if self._found and at is not None:
            self.dismiss(self._found[at])
        elif self._of:
            self.query_one("#said", Static).update(self._seat.labels("map.no_place", typed=self._of))

    def action_walk(self, step: int) -> None:
        options = self.query_one(OptionList)
        if self._found:
            options.highlighted = ((options.highlighted or 0) + step) % len(self._found)

    def action_give_up(self) -> None:
        self.dismiss(None)


def place_text(item: Record) -> str:
    """A place in one line."""
    parts = (item.get("name"), item.get("address"), item.get("type"), item.get("code"))
    return "  ".join(dict.fromkeys(str(part) for part in parts if part))
