"""Typing ahead: keys that come while a screen is on its way to the next field wait there and lose nothing.

Textual hands a key to whatever has the focus when the key arrives. Over a slow line keys come in bursts, so what is
typed after an Enter would still reach the field before it. Held keys are let go in order when the next line has the
focus, or after a while.
"""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.driver import Driver
from textual.events import Event, Key
from textual.timer import Timer

from tui.widgets.line import Line

AFTER_ENTER = 0.15
"""Seconds after an Enter in a line that moves no focus (a refusal, a search)."""


class TypeAhead(App[None]):
    """An app that can hold keys back."""

    def __init__(self, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class)
        self._held_keys: list[Key] | None = None
        self._held_until: Timer | None = None
        self._expired = False

    def hold_keys(self, seconds: float) -> None:
        """Keep the keys that come from now on, at the longest for so long."""
        if self._held_keys is None:
            self._held_keys = []
        if self._held_until is not None:
            self._held_until.stop()
        self._held_until = self.set_timer(seconds, self._give_up_waiting)

    def let_keys_go(self) -> None:
        """Hand the kept keys on, once what is under way now is done."""
        if self._held_keys is not None:
            self.call_later(self._let_go)

    def seconds_to_hold(self, event: Key) -> float:
        """How long the keys after this one may have to wait; 0 for a key that leads nowhere else."""
        return AFTER_ENTER if event.key == "enter" and isinstance(self.focused, Line) else 0

    def seconds_to_wait(self, event: Key) -> float:
        """How long this key itself may have to wait before anything is done with it; 0 for one that need not."""
        return 0

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key) and not event.is_forwarded:
            if self._held_keys is not None:
                self._held_keys.append(event)
                return
            if not self._expired and (seconds := self.seconds_to_wait(event)):
                self.hold_keys(seconds)
                self._held_keys = [event]
                return
            if seconds := self.seconds_to_hold(event):
                self.hold_keys(seconds)
        await super().on_event(event)

    async def _give_up_waiting(self) -> None:
        self._expired = True
        try:
            await self._let_go()
        finally:
            self._expired = False

    async def _let_go(self, *_: Any) -> None:
        held, self._held_keys = self._held_keys or [], None
        if self._held_until is not None:
            self._held_until.stop()
            self._held_until = None
        for key in held:
            await self.on_event(key)
