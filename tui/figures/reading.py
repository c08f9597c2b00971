"""What screens that only read have in common: they read when they are opened and with `N`; Escape goes to the desk."""

from __future__ import annotations

from textual.binding import Binding
from textual.containers import VerticalScroll

from tui.screens.base import SeatScreen
from tui.work import careful, worker


class ReadingScreen(SeatScreen):
    """A subclass composes a `VerticalScroll`, overrides `read` (awaited in a worker) and `draw`."""

    BINDINGS = [
        Binding("N", "reload", "key.reload", id="reading.reload"),
        Binding("escape", "leave", "key.back", id="reading.leave"),
    ]

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.relabel()

    def on_screen_resume(self) -> None:
        self.console.let_keys_go()
        self.action_reload()

    def relabel(self) -> None:
        super().relabel()
        labels = self.context.labels
        self.draw_keys([("N", labels("key.reload")), ("Esc", labels("key.back"))])
        self.draw()

    def action_reload(self) -> None:
        worker(self, self._read, "read")

    @careful
    async def _read(self) -> None:
        await self.read()

    async def read(self) -> None:
        """Ask the node and post a message with what it told."""
        raise TypeError("a reading screen reads something")

    def draw(self) -> None:
        """Draw what was told."""
        raise TypeError("a reading screen draws something")

    async def action_leave(self) -> None:
        await self.console.action_go("desk")
