"""What every screen of a session has: title, banner, key line, and how it tells the operator something."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from tui.fields import Choice
from tui.messages import Told
from tui.screens.pick import PickScreen
from tui.widgets.bars import Banner, KeyLine, TitleLine

if TYPE_CHECKING:
    from tui.app import Console
    from tui.context import Context


class SeatScreen(Screen[None]):
    """A full screen of the console.

    Subclasses yield a `TitleLine`, a `Banner` and a `KeyLine`, and override `relabel` to draw in another language.
    """

    TITLE_KEY: ClassVar[str] = ""

    @property
    def console(self) -> Console:
        """The app."""
        return cast("Console", self.app)

    @property
    def context(self) -> Context:
        """What the screens of this seat share."""
        return self.console.context

    def relabel(self) -> None:
        """Draw everything in the language of the moment."""
        self.draw_title()

    def draw_title(self, right: str = "") -> None:
        """The title line."""
        labels, session = self.context.labels, self.context.session
        name = f"{labels('app.name')} {self.context.reference.node_name}"
        who = f" | {labels(self.TITLE_KEY)} | {session.name}" if session else ""
        self.query_one(TitleLine).show(f"{name}{who}", right)

    def say(self, text: str, *, good: bool = False) -> None:
        """A sentence in the banner; empty takes it back."""
        self.query_one(Banner).say(text, good=good)
        if text:
            self.console.let_keys_go()

    def show_away(self, away: bool) -> None:
        """The node is away, or back."""
        self.query_one(Banner).lost(self.context.labels("banner.away", url=self.context.client.url) if away else "")

    @on(Told)
    def _told(self, event: Told) -> None:
        event.stop()
        self.say(event.text, good=event.good)

    @on(Worker.StateChanged)
    def _worker_ended(self, event: Worker.StateChanged) -> None:
        """A worker that failed in a way nobody foresaw is told, not passed over."""
        event.stop()
        if event.state is WorkerState.ERROR:
            self.say(self.context.labels("banner.internal", what=event.worker.name, error=repr(event.worker.error)))

    def pick(self, title: str, choices: list[Choice], then: Callable[[str], None]) -> None:
        """Let the operator pick one of a few things; `title` is the key of a label."""
        self.app.push_screen(
            PickScreen(self.context.labels(title), choices), lambda value: then(value) if value is not None else None
        )

    def always_keys(self) -> list[tuple[str, str]]:
        """The keys at the right end of the key line."""
        return [("?", self.context.labels("key.help"))]

    def draw_keys(self, first: list[tuple[str, str]]) -> None:
        """The key line."""
        self.query_one(KeyLine).show(first, self.always_keys())
