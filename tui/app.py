"""The operator console: one Textual app, one screen a mode, one node behind it.

It talks to the node over HTTP only. Nothing moves by itself: no animation, no blinking, no clock, so an idle screen
sends nothing over a slow line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import httpx
from textual import on
from textual.binding import Binding
from textual.events import Key
from textual.theme import Theme
from textual.widgets import Input

from appliance.i18n.labels import Labels
from tui.client import NodeClient, Session
from tui.context import Context
from tui.map.screen import MapScreen
from tui.messages import NodeBack, NodeLost, SessionEnded
from tui.reference import Reference
from tui.screens.base import SeatScreen
from tui.screens.desk import DeskScreen
from tui.screens.help import HelpScreen
from tui.screens.intake import IntakeScreen
from tui.screens.sign_in import SignInScreen
from tui.type_ahead import TypeAhead

SCREENS = {"sign_in": SignInScreen, "desk": DeskScreen, "intake": IntakeScreen, "map": MapScreen}
THEME = Theme(
    name="wanmi", primary="#1f4e79", secondary="#6aa6d6", accent="#d7af5f", foreground="#d0d0d0", background="#101418",
    surface="#1c2228", panel="#2a323a", success="#5faf5f", warning="#d7af5f", error="#d75f5f", dark=True,
)  # fmt: skip


class Console(TypeAhead):
    """One seat.

    Args:
        url: the node's address.
        language: "zh" or "en" at first.
        braille: draw maps with braille dots; None asks once whether the font has them.
        transport: another transport than the network, for pictures and tests.
    """

    CSS_PATH = None
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [
        Binding("f1,question_mark", "help", "key.help", id="app.help"),
        Binding("f2", "go('desk')", "screen.desk", id="app.desk"),
        Binding("f3", "go('intake')", "screen.intake", id="app.intake"),
        Binding("f4", "go('map')", "screen.map", id="app.map"),
        Binding("f9", "language", "key.language", id="app.language"),
        Binding("f10", "sign_out", "key.sign_out", id="app.sign_out"),
        Binding("ctrl+q", "quit", "key.quit", id="app.quit"),
    ]

    def __init__(
        self,
        url: str,
        language: str = "zh",
        *,
        braille: bool | None = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        client = NodeClient(url, language, transport)
        self.context = Context(client, Labels(language), Reference(client), braille=braille)
        self.away = False

    async def on_mount(self) -> None:
        self.register_theme(THEME)
        self.theme = "wanmi"
        self.add_mode("sign_in", SignInScreen)
        await self.switch_mode("sign_in")

    async def on_unmount(self) -> None:
        await self.context.client.close()

    def seconds_to_hold(self, event: Key) -> float:
        screen = self.screen
        if isinstance(screen, DeskScreen) and not isinstance(self.focused, Input):
            return screen.seconds_to_open(event)
        return super().seconds_to_hold(event)

    def signed_in(self, session: Session) -> None:
        """Open the desk for somebody."""
        self.context.session = session
        self.call_later(self._open_desk)

    async def _open_desk(self) -> None:
        for mode in ("desk", "intake", "map"):
            self.add_mode(mode, SCREENS[mode])
        await self.switch_mode("desk")
        self.remove_mode("sign_in")

    async def _close_desk(self, said: str) -> None:
        self.context.session = None
        self.context.reference = Reference(self.context.client)
        self.add_mode("sign_in", SignInScreen)
        await self.switch_mode("sign_in")
        for mode in ("desk", "intake", "map"):
            self.remove_mode(mode)
        if said and isinstance(self.screen, SeatScreen):
            self.screen.say(said)

    async def action_go(self, mode: str) -> None:
        if self.context.session is not None and isinstance(self.screen, SeatScreen) and self.current_mode != mode:
            if mode == "intake":
                self.hold_keys(1)
            await self.switch_mode(mode)

    def action_language(self) -> None:
        if not isinstance(self.screen, SeatScreen):
            return
        self.context.labels = self.context.labels.other()
        self.context.client.speak(self.context.labels.language)
        self._seats(lambda screen: screen.relabel())

    def action_help(self) -> None:
        if isinstance(self.screen, SeatScreen):
            labels = self.context.labels
            self.push_screen(HelpScreen(labels, labels(self.screen.TITLE_KEY), help_groups(self, self.screen)))

    async def action_sign_out(self) -> None:
        if self.context.session is None or not isinstance(self.screen, SeatScreen):
            return
        self.run_worker(self.context.client.sign_out(), group="sign-out", exit_on_error=False)
        await self._close_desk("")

    @on(NodeLost)
    def _node_lost(self) -> None:
        if not self.away:
            self.away = True
            self._seats(lambda screen: screen.show_away(True))

    @on(NodeBack)
    def _node_back(self) -> None:
        if self.away:
            self.away = False
            self._seats(lambda screen: screen.show_away(False))

    @on(SessionEnded)
    async def _session_ended(self, event: SessionEnded) -> None:
        if self.context.session is not None:
            await self._close_desk(event.detail)

    @property
    def selected_case(self) -> dict[str, Any] | None:
        """The case under the cursor of the desk."""
        desk = self._desk()
        return desk.queue.selected if desk is not None else None

    async def open_case(self, record: dict[str, Any]) -> None:
        """Go to the desk with this case under the cursor."""
        desk = self._desk()
        if desk is not None:
            desk.queue.bring(record)
            await self.action_go("desk")

    async def call_heard(self, number: str) -> None:
        """A caller rings at this seat: open the intake with the number."""
        if not isinstance(self.screen, SeatScreen):
            return
        await self.action_go("intake")
        if isinstance(self.screen, IntakeScreen):
            self.screen.ring(number)

    async def intake_at(self, lon: float, lat: float) -> None:
        """Open the intake with a position from the map."""
        await self.action_go("intake")
        if isinstance(self.screen, IntakeScreen):
            self.screen.put_place(lon, lat)

    def _desk(self) -> DeskScreen | None:
        stack = self._screen_stacks.get("desk", [])
        return next((screen for screen in stack if isinstance(screen, DeskScreen)), None)

    def _seats(self, what: Callable[[SeatScreen], None]) -> None:
        for stack in self._screen_stacks.values():
            for screen in stack:
                if isinstance(screen, SeatScreen) and screen.is_mounted:
                    what(screen)


def help_groups(app: Console, screen: SeatScreen) -> list[tuple[str, list[tuple[str, str]]]]:
    """The keys of a screen in groups: actions on offer, the screen's own, the focused widget's, the app's."""
    labels = app.context.labels
    offered = [(key.key, labels.pick(key.chinese, key.english)) for key in getattr(screen, "action_keys", ())]
    groups = [(labels("help.actions"), offered)]
    for node, title in ((screen, "help.screen"), (app.focused, "help.widget"), (app, "help.app")):
        pairs = []
        for binding in getattr(type(node), "BINDINGS", ()):
            if isinstance(binding, Binding) and binding.description in labels:
                keys = " ".join(app.get_key_display(single) for single in binding.make_bindings([binding]))
                pairs.append((keys, labels(binding.description)))
        groups.append((labels(title), pairs))
    return groups
