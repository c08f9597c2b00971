"""The operator console: one Textual app, one screen a mode, one node behind it.

It talks to the node over HTTP only. Nothing moves by itself: no animation, no blinking, no clock, so an idle screen
sends nothing over a slow line.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import httpx
from textual import on
from textual.binding import Binding
from textual.driver import Driver
from textual.events import Key
from textual.filter import LineFilter, Monochrome
from textual.widgets import Input

from appliance.cases.workflow import workflow
from appliance.errors import Invalid
from appliance.i18n.labels import LANGUAGES, Labels
from tui.client import NodeClient, Session
from tui.context import SEES_PHONES, Context
from tui.desk.screen import DeskScreen
from tui.equipment.screen import DevicesScreen
from tui.evaluation.screen import EvaluationScreen
from tui.figures.scores import ScoresScreen
from tui.help_groups import help_groups
from tui.intake.screen import IntakeScreen
from tui.map.screen import MapScreen
from tui.messages import NodeBack, NodeLost, SessionEnded, Told
from tui.oversight.screen import OversightScreen
from tui.palette import carry_out, choices
from tui.papers.screen import PapersScreen
from tui.reference import Reference
from tui.screens.base import SeatScreen
from tui.screens.help import HelpScreen
from tui.screens.jump import JumpScreen
from tui.screens.palette import PaletteScreen
from tui.screens.sign_in import SignInScreen
from tui.seat.files import Preferences
from tui.seat.keymap import binding_names, keymap_file, read_keymap
from tui.seat.themes import ORDER, PLAIN, THEMES, USUAL, next_theme
from tui.shift.screen import ShiftScreen
from tui.system.screen import SystemScreen
from tui.type_ahead import TypeAhead
from tui.video.screen import VideoScreen
from tui.work import careful

SCREENS = {
    "sign_in": SignInScreen, "desk": DeskScreen, "intake": IntakeScreen, "map": MapScreen, "shift": ShiftScreen,
    "video": VideoScreen, "scores": ScoresScreen, "evaluation": EvaluationScreen,
    "oversight": OversightScreen, "papers": PapersScreen, "devices": DevicesScreen,
    "system": SystemScreen,
}  # fmt: skip
MODES = tuple(mode for mode in SCREENS if mode != "sign_in")
WATCHERS = frozenset(
    ("acceptor", "shift_leader", "dispatcher", "leader", "assessor", "admin", "technician"),
)
ROLES_OF = {
    "intake": workflow().actions["report"].roles, "video": SEES_PHONES, "map": WATCHERS, "scores": WATCHERS,
    "papers": WATCHERS - {"acceptor"}, "devices": WATCHERS,
}  # fmt: skip
"""Who has a use for a screen; the others are for everybody."""


class Console(TypeAhead):
    """One seat.

    Args:
        url: the node's address.
        language: "zh" or "en" at first; None for what was used last at this seat.
        braille: draw maps with braille dots; None asks once whether the font has them.
        transport: another transport than the network, for pictures and tests.
        driver: another terminal driver than Textual's.
    """

    CSS_PATH = None
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [
        Binding("f1,question_mark", "help", "key.help", id="app.help"),
        Binding("f2", "go('desk')", "screen.desk", id="app.desk"),
        Binding("f3", "go('intake')", "screen.intake", id="app.intake"),
        Binding("f4", "go('map')", "screen.map", id="app.map"),
        Binding("f11", "go('shift')", "screen.shift", id="app.shift"),
        Binding("f12", "go('video')", "screen.video", id="app.video"),
        Binding("ctrl+p", "palette", "key.palette", id="app.palette"),
        Binding("ctrl+g", "jump", "key.jump_focus", id="app.jump"),
        Binding("f9", "language", "key.language", id="app.language"),
        Binding("ctrl+l", "theme", "key.colours", id="app.theme"),
        Binding("f10", "sign_out", "key.sign_out", id="app.sign_out"),
        Binding("ctrl+q", "quit", "key.quit", id="app.quit"),
    ]

    def __init__(
        self,
        url: str,
        language: str | None = None,
        *,
        braille: bool | None = True,
        transport: httpx.AsyncBaseTransport | None = None,
        driver: type[Driver] | None = None,
        trusted: ssl.SSLContext | bool = True,
    ) -> None:
        self._plain = Monochrome(enabled=False)
        super().__init__(driver_class=driver)
        self.animation_level = "none"
        self.preferences = Preferences()
        spoken = language or str(self.preferences.get("language", "zh"))
        spoken = spoken if spoken in LANGUAGES else "zh"
        client = NodeClient(url, spoken, transport, trusted)
        self.context = Context(client, Labels(spoken), Reference(client), braille=braille)
        self.away = False
        self.waiting_call = ""
        self.own_keymap: dict[str, str] = {}

    async def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.show_theme(str(self.preferences.get("theme", USUAL)), keep=False)
        self.add_mode("sign_in", SignInScreen)
        await self.switch_mode("sign_in")
        self._read_keymap()

    def _read_keymap(self) -> None:
        if not keymap_file().exists():
            return
        from tui.seat.keyed import KEYED  # it names every screen, also those that are loaded when they are opened

        try:
            own = read_keymap(binding_names(KEYED))
        except Invalid as error:
            said = error.sentence(self.context.labels.language)
            self._seats(lambda screen: screen.say(said))
            return
        self.own_keymap = own.keys
        self.set_keymap(own.keys)
        self.context.own_keys = own.actions

    async def on_unmount(self) -> None:
        await self.context.client.close()

    def seconds_to_hold(self, event: Key) -> float:
        screen = self.screen
        if isinstance(screen, DeskScreen) and not isinstance(self.focused, Input):
            return screen.seconds_to_open(event)
        return super().seconds_to_hold(event)

    def seconds_to_wait(self, event: Key) -> float:
        screen = self.screen
        if isinstance(screen, DeskScreen) and not isinstance(self.focused, Input):
            return screen.seconds_to_wait(event)
        return super().seconds_to_wait(event)

    def signed_in(self, session: Session) -> None:
        """Open the desk for somebody."""
        self.context.session = session
        self.call_later(self._open_desk)

    async def _open_desk(self) -> None:
        for mode in MODES:
            self.add_mode(mode, SCREENS[mode])
        await self.switch_mode("desk")
        self.remove_mode("sign_in")
        session = self.context.session
        if session is not None and session.second_factor_due and isinstance(self.screen, SeatScreen):
            self.screen.say(self.context.labels("sign_in.second_factor_due", account=session.account))

    async def _close_desk(self, said: str) -> None:
        self.context.session = None
        self.context.reference = Reference(self.context.client)
        self.add_mode("sign_in", SignInScreen)
        await self.switch_mode("sign_in")
        for mode in MODES:
            self.remove_mode(mode)
        if said and isinstance(self.screen, SeatScreen):
            self.screen.say(said)

    @property
    def modes_open(self) -> tuple[str, ...]:
        """The screens that this account has a use for."""
        roles = self.context.roles
        return tuple(mode for mode in MODES if mode not in ROLES_OF or not roles.isdisjoint(ROLES_OF[mode]))

    async def action_go(self, mode: str) -> None:
        if self.context.session is not None and isinstance(self.screen, SeatScreen) and self.current_mode != mode:
            if mode not in self.modes_open:
                self.screen.say(self.context.labels("app.not_yours", screen=self.context.labels(f"screen.{mode}")))
                return
            if mode == "intake":
                self.hold_keys(1)
            await self.switch_mode(mode)
            if self.waiting_call and isinstance(self.screen, IntakeScreen):
                number, self.waiting_call = self.waiting_call, ""
                self.screen.ring(number)

    def show_theme(self, name: str, *, keep: bool = True) -> None:
        """Look like this from now on; the plain one shows no colour at all."""
        chosen = name if name in ORDER else USUAL
        self._plain.enabled = chosen == PLAIN
        self.theme = chosen
        if keep:
            self.preferences.set("theme", chosen)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *([self._plain] if self._plain.enabled else [])]

    def action_theme(self) -> None:
        self.show_theme(next_theme(self.theme))
        if isinstance(self.screen, SeatScreen):
            self.screen.say(self.context.labels(f"theme.{self.theme}"), good=True)

    def action_palette(self) -> None:
        if not isinstance(self.screen, SeatScreen) or self.context.session is None:
            return

        def chosen(value: str | None) -> None:
            if value is not None:
                self.call_later(carry_out, self, value)

        self.hold_keys(1)
        self.push_screen(PaletteScreen(self.context.labels("palette.title"), choices(self)), chosen)

    def action_jump(self) -> None:
        if isinstance(self.screen, SeatScreen):
            self.push_screen(JumpScreen(self.screen), lambda widget: widget.focus() if widget is not None else None)

    def action_language(self) -> None:
        if not isinstance(self.screen, SeatScreen):
            return
        self.context.labels = self.context.labels.other()
        self.preferences.set("language", self.context.labels.language)
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

    def open_number(self, number: str) -> None:
        """Read a case and go to the desk with it."""
        self.run_worker(self._open_number(number), group="open", exclusive=True, exit_on_error=False)

    @careful
    async def _open_number(self, number: str) -> None:
        record = await self.context.client.get(f"/api/v1/cases/{number}")
        self.call_later(self.open_case, record)

    def find_number(self, end: str) -> None:
        """Go to the case whose number ends so, or is that number."""
        self.run_worker(self._find_number(end), group="open", exclusive=True, exit_on_error=False)

    @careful
    async def _find_number(self, end: str) -> None:
        found = await self.context.client.items("/api/v1/cases", text=end, limit=20)
        fitting = [record for record in found if record["number"].endswith(end)] or found
        if fitting:
            self.call_later(self.open_case, fitting[0])
        elif isinstance(self.screen, SeatScreen):
            self.screen.post_message(Told(self.context.labels("palette.no_case", number=end)))

    async def call_heard(self, number: str) -> None:
        """A caller rings at this seat: open the intake with the number."""
        if "intake" not in self.modes_open:
            return
        if not isinstance(self.screen, SeatScreen):  # a form is open: it is finished first
            self.waiting_call = number
            self.bell()
            self._seats(lambda screen: screen.say(self.context.labels("app.ringing", number=number)))
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
