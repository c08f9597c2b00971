"""Signing in: account, password, Enter."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Center, Middle, Vertical
from textual.widgets import Input, Static

from tui.client import NodeAway, Refused
from tui.messages import Told
from tui.screens.base import SeatScreen
from tui.widgets.bars import Banner, KeyLine, TitleLine
from tui.widgets.line import Line
from tui.work import worker


class SignInScreen(SeatScreen):
    """Who sits here."""

    TITLE_KEY = "screen.sign_in"
    DEFAULT_CSS = """
    SignInScreen #box { width: 44; height: auto; border: solid $primary; padding: 1 2; }
    SignInScreen Line { margin: 0 0 1 0; }
    """

    def compose(self) -> ComposeResult:
        yield TitleLine()
        with Middle(), Center(), Vertical(id="box"):
            yield Static("", id="account-label")
            yield Line(id="account")
            yield Static("", id="password-label")
            yield Line(password=True, id="password")
        yield Banner()
        yield KeyLine()

    def on_mount(self) -> None:
        self.relabel()
        self.query_one("#account", Line).focus()

    def relabel(self) -> None:
        super().relabel()
        labels = self.context.labels
        self.query_one("#account-label", Static).update(labels("sign_in.account"))
        self.query_one("#password-label", Static).update(labels("sign_in.password"))
        self.draw_keys([("Enter", labels("key.sign_in")), ("F9", labels("key.language")), ("^Q", labels("key.quit"))])

    @on(Input.Submitted, "#account")
    def _account_given(self) -> None:
        self.query_one("#password", Line).focus()

    @on(Input.Submitted, "#password")
    def _password_given(self) -> None:
        account, password = self.query_one("#account", Line).value.strip(), self.query_one("#password", Line).value
        if not account or not password:
            self.say(self.context.labels("sign_in.both"))
            return
        worker(self, self._sign_in(account, password), "sign-in")

    async def _sign_in(self, account: str, password: str) -> None:
        try:
            session = await self.context.client.sign_in(account, password)
            await self.context.reference.load()
        except NodeAway:
            self.post_message(Told(self.context.labels("banner.away", url=self.context.client.url)))
        except Refused as error:
            self.post_message(Told(error.detail))
        else:
            self.console.signed_in(session)
