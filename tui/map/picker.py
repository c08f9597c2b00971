"""Pick a place on the map: the intake asks, the answer is the position of the cross."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.worker import Worker, WorkerState

from tui.map.pane import MapPane
from tui.messages import Told
from tui.type_ahead import TypeAhead
from tui.widgets.bars import Banner, KeyLine

if TYPE_CHECKING:
    from tui.context import Context


class PickPlaceScreen(ModalScreen[tuple[float, float] | None]):
    """The map over whatever asked. Enter answers longitude and latitude of the cross (EPSG:4490), Escape None.

    Args:
        lon, lat: where to begin; without them the whole county.
    """

    DEFAULT_CSS = "PickPlaceScreen { background: $background; }"
    BINDINGS = [
        Binding("enter", "take", "key.take_place", id="place.take"),
        Binding("escape", "give_up", "key.cancel", id="place.cancel"),
    ]

    def __init__(self, context: Context, lon: float | None = None, lat: float | None = None) -> None:
        super().__init__()
        self._seat = context
        self._begin_at = (lon, lat)

    def compose(self) -> ComposeResult:
        yield MapPane(self._seat)
        yield Banner()
        yield KeyLine()

    def on_mount(self) -> None:
        pane, labels = self.query_one(MapPane), self._seat.labels
        pane.focus()
        self.query_one(KeyLine).show(
            [("+-", labels("key.zoom")), ("g", labels("key.jump")), ("i", labels("key.here"))],
            [("Enter", labels("key.take_place")), ("Esc", labels("key.cancel"))],
        )
        self.call_after_refresh(lambda: pane.begin(*self._begin_at))
        if isinstance(self.app, TypeAhead):
            self.app.let_keys_go()

    @on(Told)
    def _told(self, event: Told) -> None:
        event.stop()
        self.query_one(Banner).say(event.text)

    @on(Worker.StateChanged)
    def _worker_ended(self, event: Worker.StateChanged) -> None:
        event.stop()
        if event.state is WorkerState.ERROR:
            what, error = event.worker.name, repr(event.worker.error)
            self.query_one(Banner).say(self._seat.labels("banner.internal", what=what, error=error))

    def action_take(self) -> None:
        if (cross := self.query_one(MapPane).cross) is not None:
            self.dismiss((round(cross[0], 7), round(cross[1], 7)))

    def action_give_up(self) -> None:
        self.dismiss(None)
