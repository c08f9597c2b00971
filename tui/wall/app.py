"""The wall screen 大屏: one page at a time for the LED wall's video input. No input; it heals itself.

One endless worker asks the node and ends in messages; one widget draws. So nothing grows, however long it runs.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any, ClassVar

import httpx
from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.events import Resize
from textual.message import Message
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from appliance.i18n.labels import Labels
from tui.cells import fit
from tui.client import NodeAway, NodeClient, Refused, SignedOut
from tui.map.engine import MapEngine
from tui.map.layers import Content
from tui.map.viewport import Viewport, fitting
from tui.show import ZONE, moment
from tui.wall.pages import cases_page, figures_page, map_page, ticker, units_page

Record = dict[str, Any]
PAGES = ("figures", "units", "map", "cases")
POLL_SECONDS = 5.0
AWAY_SECONDS = 1.0
"""Between two tries while the node is away; well under the two seconds in which the wall should be back."""
FORGET_SECONDS = 3600.0
REFUSED_SECONDS = 10.0
HIDDEN = frozenset(("parts", "positions"))
THEME = Theme(name="wall", primary="#1f4e79", foreground="#e8e8e8", background="#000000", surface="#101418", dark=True)


@dataclass(frozen=True, slots=True)
class Access:
    """How the wall comes in: a key made for it, or an account."""

    key: str = ""
    account: str = ""
    password: str = field(default="", repr=False)


@dataclass(slots=True)
class Shown:
    """What the wall knows: the last figures with the time they came, and what is wrong now."""

    figures: Record | None = None
    content: Content = field(default_factory=Content)
    view: Viewport | None = None
    came_at: float = 0.0
    trouble: str = ""


class Board(Widget):
    """The whole screen: title, page, ticker."""

    DEFAULT_CSS = "Board { width: 100%; height: 100%; }"

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Text] = []

    def show(self, lines: list[Text]) -> None:
        """Draw these lines where they differ from what stands there."""
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return Strip(self._lines[y].render(self.app.console)).adjust_cell_length(width).apply_style(self.rich_style)


class Wall(App[None]):
    """The wall.

    Args:
        url: the node's address.
        access: key or account.
        seconds: how long a page stands.
        poll_seconds: between two questions to the node.
        transport: another transport than the network, for pictures and tests.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { overflow: hidden; }"
    BINDINGS: ClassVar = [
        Binding("ctrl+q", "quit", "key.quit", id="wall.quit"),
        Binding("ctrl+c", "ignore", "", id="wall.ignore", show=False),
    ]

    class Read(Message):
        """The figures, and what the map shows."""

        def __init__(self, figures: Record, content: Content, view: Viewport | None) -> None:
            super().__init__()
            self.figures, self.content, self.view = figures, content, view

    class Troubled(Message):
        """The node is away or says no; empty takes it back."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        url: str,
        access: Access,
        *,
        seconds: float = 20.0,
        language: str = "zh",
        braille: bool = True,
        poll_seconds: float = POLL_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
        trusted: ssl.SSLContext | bool = True,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self.labels = Labels(language)
        self.client = NodeClient(url, language, transport, trusted)
        self.shown = Shown()
        self.turn = 0
        self._access = access
        self._seconds, self._poll_seconds, self._braille = seconds, poll_seconds, braille
        self._engine = MapEngine(self.client)
        self._box: tuple[float, float, float, float] | None = None

    @property
    def page(self) -> str:
        """The page that stands there."""
        return PAGES[self.turn % len(PAGES)]

    def compose(self) -> ComposeResult:
        yield Board()

    def on_mount(self) -> None:
        self.register_theme(THEME)
        self.theme = "wall"
        self.run_worker(self._watch(), name="watch", group="watch")
        self.set_interval(self._seconds, self.next_page)
        self.draw()

    async def on_unmount(self) -> None:
        await self.client.close()

    def action_ignore(self) -> None:
        """A stray key does nothing."""

    # Asking the node.

    async def _watch(self) -> None:
        """Ask again and again; whatever happens ends in a message and another try."""
        signed_in, forget_at = False, monotonic() + FORGET_SECONDS
        while True:
            wait = self._poll_seconds
            try:
                if not signed_in:
                    await self._come_in()
                    signed_in = True
                if monotonic() >= forget_at:  # streets and grids are imported anew now and then
                    self._engine.forget()
                    self._box, forget_at = None, monotonic() + FORGET_SECONDS
                figures = await self.client.get("/api/v1/wall")
                view = await self._map_view()
                self.post_message(self.Read(figures, await self._map_content(view), view))
            except NodeAway:
                wait = min(AWAY_SECONDS, self._poll_seconds)
                self.post_message(self.Troubled(self.labels("wall.away")))
            except SignedOut as error:
                self.post_message(self.Troubled(error.detail))
                wait = REFUSED_SECONDS
                if self._access.account:
                    signed_in, wait = False, AWAY_SECONDS
            except Refused as error:
                self.post_message(self.Troubled(error.detail))
                wait = REFUSED_SECONDS
            except Exception as error:  # nobody stands by to start it again
                self.post_message(self.Troubled(self.labels("banner.internal", what="wall", error=repr(error))))
                wait = REFUSED_SECONDS
            await asyncio.sleep(wait)

    async def _come_in(self) -> None:
        """Use the key, or sign the account in, however long that takes."""
        if self._access.key:
            self.client.use_key(self._access.key)
            return
        while True:
            try:
                await self.client.sign_in(self._access.account, self._access.password)
                return
            except NodeAway:
                self.post_message(self.Troubled(self.labels("wall.away")))
                await asyncio.sleep(AWAY_SECONDS)
            except Refused as error:
                self.post_message(self.Troubled(error.detail))
                await asyncio.sleep(REFUSED_SECONDS)

    async def _map_view(self) -> Viewport | None:
        width, height = self.size.width, self.size.height - 3
        if width < 4 or height < 4:
            return None
        if self._box is None:
            self._box = await self._engine.whole()
        return fitting(self._box, width * 2, height * 4)

    async def _map_content(self, view: Viewport | None) -> Content:
        return Content() if view is None else await self._engine.content(view, HIDDEN)

    # What the node told.

    @on(Read)
    def _figures_read(self, event: Read) -> None:
        self.shown = Shown(event.figures, event.content, event.view, monotonic())
        self.draw()

    @on(Troubled)
    def _troubled(self, event: Troubled) -> None:
        self.shown.trouble = event.text
        self.draw()

    # Drawing.

    def next_page(self) -> None:
        """Turn the page, and the ticker with it."""
        self.turn += 1
        self.draw()

    @on(Resize)
    def _resized(self) -> None:
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw title, page and ticker."""
        width, height = self.size.width, self.size.height
        board = self.query(Board)
        if not board or height < 3:
            return
        figures = self.shown.figures
        body = None if figures is None else self._page_or_trouble(figures, width, height - 2)
        if figures is None or body is None:
            text = self.shown.trouble or self.labels("wall.waiting")
            lines = [self._title(width), *[Text("", end="")] * (height // 2 - 1), Text(f" {text}", "bold")]
        else:
            body = body[: height - 2]
            body += [Text("", end="") for _ in range(height - 2 - len(body))]
            lines = [self._title(width), *body, ticker(figures, self.turn, width, self.labels)]
        board.first().show(lines)

    def _page_or_trouble(self, figures: Record, width: int, height: int) -> list[Text] | None:
        """The page; None where the node's figures are not those this wall knows, as after an upgrade of the node."""
        try:
            return self._page(figures, width, height)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.shown.trouble = self.labels("banner.internal", what="wall", error=repr(error))
            return None

    def _page(self, figures: Record, width: int, height: int) -> list[Text]:
        if self.page == "figures":
            return figures_page(figures, width, height, self.labels)
        if self.page == "units":
            return units_page(figures, width, height, self.labels)
        view = self.shown.view
        if self.page == "map" and view is not None:
            return map_page(self.shown.content, view, self.labels, braille=self._braille)
        return cases_page(figures, width, height, self.labels)

    def _title(self, width: int) -> Text:
        figures, labels = self.shown.figures or {}, self.labels
        name = f"{figures.get('name', '')} {labels('wall.title')} | {labels('wall.page.' + self.page)}".strip()
        right = self._corner()
        line = Text(f" {fit(name, max(width - cell_len(right) - 2, 1))} ", "bold on #1f4e79", no_wrap=True, end="")
        return line.append(right, "bold white on red" if self.shown.trouble else "on #1f4e79")

    def _corner(self) -> str:
        """When the figures came; when something is wrong what it is, and how old the figures are."""
        if self.shown.figures is None:
            return ""
        at = moment(self.shown.figures["at"]) or datetime.now(UTC)
        time = at.astimezone(ZONE).strftime("%m-%d %H:%M")
        if not self.shown.trouble:
            return self.labels("wall.updated", time=time) + " "
        minutes = int((monotonic() - self.shown.came_at) // 60)
        return self.labels("wall.old", trouble=self.shown.trouble, time=time, minutes=minutes) + " "
