"""A real node for the console, and a seat that is worked by keys only."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.css.query import NoMatches
from textual.events import Key
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot

from tests.homes import PASSWORD
from tests.nodes import RunningNode
from tui.app import Console
from tui.desk.queue import Queue
from tui.widgets.bars import Banner, KeyLine

PATIENCE = 20.0


@pytest.fixture(autouse=True)
def own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The console's own files lie in the test's folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


HOTLINE = {
    "source": "hotline_12319", "kind": "part", "code": "01002", "description": "井盖破了", "lon": 113.4005,
    "lat": 34.1005, "address": "药城路18号", "condition": 1,
}  # fmt: skip


class Seat:
    """An operator at a console."""

    def __init__(self, app: Console, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot

    async def until(self, condition: Callable[[], Any], what: str = "") -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE):
            try:
                while not _holds(condition):
                    await self.pilot.pause(0.02)
            except asyncio.CancelledError:
                print(f"never: {what}\n{self.screen_text()}")
                raise

    async def keys(self, *keys: str) -> None:
        """Press keys; a longer word without a name of a key is typed letter by letter."""
        named = {
            "enter", "escape", "tab", "up", "down", "left", "right", "space", "question_mark", "full_stop", "slash",
            "left_square_bracket", "right_square_bracket", "pagedown", "end", "plus", "minus",
        }  # fmt: skip
        for key in keys:
            whole = key in named or "+" in key or (key[0] == "f" and key[1:].isdigit())
            for single in [key] if whole else list(key):
                await self._press(single)

    async def burst(self, *keys: str) -> None:
        """Keys that arrive at once, as over a slow line."""
        for key in keys:
            self._send(key)
        await self.pilot.pause(0.01)

    async def _press(self, key: str) -> None:
        """One key, handled by every widget. The pilot's own press waits for an idle processor, which takeslonger."""
        self._send(key)
        for _ in range(3):  # the key itself, what it starts, what that tells
            await self.pilot.pause(0)

    def _send(self, key: str) -> None:
        name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
        try:
            sign: str | None = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name)))
        except KeyError:
            sign = name if len(name) == 1 else None
        event = Key(name, sign)
        event.set_sender(self.app)
        assert self.app._driver is not None
        self.app._driver.send_message(event)

    async def sign_in(self, account: str, password: str = PASSWORD) -> None:
        """Type account and password and wait for the desk with its queue."""
        await self.until(
            lambda: type(self.app.screen).__name__ == "SignInScreen" and self.app.focused, "sign-in screen"
        )
        await self.keys(account, "enter", password, "enter")
        await self.until(lambda: type(self.app.screen).__name__ == "DeskScreen", "desk")
        await self.settled()

    async def settled(self) -> None:
        """Wait until no worker but the live view runs and no key is held back."""
        for _ in range(3):  # what a worker tells may start another one
            await self.pilot.pause(0.01)
            await self.until(self._is_at_rest, "workers end")

    def _is_at_rest(self) -> bool:
        busy = [job for job in self.app.workers if job.is_running and job.group != "live"]
        return not busy and getattr(self.app, "_held_keys", None) is None

    async def on_form(self) -> None:
        """Wait for a form to be ready for typing."""
        await self.until(lambda: type(self.app.screen).__name__ == "FormScreen", "a form")
        await self.pilot.pause()

    async def done(self, state: str) -> None:
        """Wait until the selected case is in a state and the desk is back."""
        await self.until(
            lambda: type(self.app.screen).__name__ == "DeskScreen" and (self.selected or {}).get("state") == state,
            f"the case is {state}",
        )
        await self.settled()

    @property
    def selected(self) -> dict[str, Any] | None:
        """The case under the cursor of the desk."""
        return self.app.screen.query_one(Queue).selected

    @property
    def banner(self) -> str:
        """What the banner says."""
        return str(self.app.screen.query_one(Banner).render())

    @property
    def key_line(self) -> list[tuple[str, str]]:
        """The key line as it is drawn."""
        return self.app.screen.query_one(KeyLine).keys

    def screen_text(self) -> str:
        """The screen as text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def _holds(condition: Callable[[], Any]) -> bool:
    """Whether something is so; on a screen without the widget that is asked it is not."""
    try:
        return bool(condition())
    except NoMatches:
        return False


@asynccontextmanager
async def seat_at(node: RunningNode, account: str = "", size: tuple[int, int] = (120, 36)) -> AsyncIterator[Seat]:
    """A console at a node, signed in where an account is given."""
    app = Console(node.url)
    async with app.run_test(size=size) as pilot:
        seat = Seat(app, pilot)
        if account:
            await seat.sign_in(account)
        yield seat


def report(node: RunningNode, **other: Any) -> dict[str, Any]:
    """A hotline case made over HTTP."""
    answer = node.client("s1").post("/api/v1/cases", json={**HOTLINE, **other})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made
