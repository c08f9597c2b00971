"""Signing in: account, password, Enter; then the six digits of the second factor where the account has one."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Center, Middle, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from tui.client import NodeAway, Refused, Session
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
    SignInScreen .new, SignInScreen .code { display: none; }
    SignInScreen.-new-due .new, SignInScreen.-code-needed .code { display: block; }
    """
    CODE_KINDS = ("/problems/second-factor-needed", "/problems/second-factor-wrong")

    class NewPasswordDue(Message):
        """The first sign-in: a password of one's own comes before the desk."""

    class CodeNeeded(Message):
        """The password is right; a code of the second factor is asked for, or another one."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None

    def compose(self) -> ComposeResult:
        yield TitleLine()
        with Middle(), Center(), Vertical(id="box"):
            yield Static("", id="account-label")
            yield Line(id="account")
            yield Static("", id="password-label")
            yield Line(password=True, id="password")
            yield Static("", id="code-label", classes="code")
            yield Line(id="code", classes="code")
            yield Static("", id="new-label", classes="new")
            yield Line(password=True, id="new-password", classes="new")
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
        self.query_one("#code-label", Static).update(labels("sign_in.code"))
        self.query_one("#new-label", Static).update(labels("sign_in.new_password"))
        self.draw_keys([("Enter", labels("key.sign_in")), ("F9", labels("key.language")), ("^Q", labels("key.quit"))])

    @on(Input.Submitted, "#account")
    def _account_given(self) -> None:
        self._forget_code()
        self.query_one("#password", Line).focus()

    @on(Input.Submitted, "#password")
    def _password_given(self) -> None:
        self._forget_code()
        self._try()

    @on(Input.Submitted, "#code")
    def _code_given(self) -> None:
        if self.query_one("#code", Line).value.strip():
            self._try()
        else:
            self.say(self.context.labels("sign_in.code"))

    @on(CodeNeeded)
    def _code_needed(self, event: CodeNeeded) -> None:
        event.stop()
        self.add_class("-code-needed")
        self.say(event.text)
        line = self.query_one("#code", Line)
        line.value = ""
        line.focus()

    def _forget_code(self) -> None:
        """What was asked of one account is not asked of the next."""
        self.remove_class("-code-needed")
        self.query_one("#code", Line).value = ""

    def _try(self) -> None:
        account, password = self.query_one("#account", Line).value.strip(), self.query_one("#password", Line).value
        if not account or not password:
            self.say(self.context.labels("sign_in.both"))
            return
        worker(self, self._sign_in(account, password, self.query_one("#code", Line).value.strip()), "sign-in")

    @on(NewPasswordDue)
    def _new_password_due(self, event: NewPasswordDue) -> None:
        event.stop()
        self.add_class("-new-due")
        self.say(self.context.labels("sign_in.first"))
        self.query_one("#new-password", Line).focus()

    @on(Input.Submitted, "#new-password")
    def _new_password_given(self) -> None:
        old, new = self.query_one("#password", Line).value, self.query_one("#new-password", Line).value
        if new and new != old:
            worker(self, self._change_password(old, new), "sign-in")
        else:
            self.say(self.context.labels("sign_in.first"))

    async def _sign_in(self, account: str, password: str, code: str) -> None:
        try:
            self._session = await self.context.client.sign_in(account, password, code)
            if self._session.new_password_due:
                self.post_message(self.NewPasswordDue())
                return
            await self._open(self._session)
        except NodeAway:
            self._not_reached()
        except Refused as error:
            asks = error.problem.get("type") in self.CODE_KINDS
            self.post_message(self.CodeNeeded(error.detail) if asks else Told(error.detail))

    async def _change_password(self, old: str, new: str) -> None:
        try:
            await self.context.client.change_password(old, new)
            if self._session is not None:
                await self._open(self._session)
        except NodeAway:
            self._not_reached()
        except Refused as error:
            self.post_message(Told(error.detail))

    async def _open(self, session: Session) -> None:
        await self.context.reference.load()
        self.console.signed_in(session)

    def _not_reached(self) -> None:
        self.post_message(Told(self.context.labels("banner.away", url=self.context.client.url)))
