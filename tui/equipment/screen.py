"""The devices screen 设备: how receivers, walls, signs and modems stand; commands and notices; who sent a position."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.events import Resize
from textual.widgets import DataTable

from tui.equipment.calls import EquipmentCalls, EquipmentRead
from tui.equipment.ledger import SIGNS, commands_text, messages_text, nothing_text, positions_text, unsent
from tui.equipment.text import device_rows, device_text, key_of, well
from tui.fields import TEXT, Choice, Field, Form
from tui.screens.base import SeatScreen
from tui.screens.form import FormScreen
from tui.widgets.bars import Banner, KeyLine, TitleLine
from tui.widgets.line_pane import LinePane
from tui.widgets.rows import Rows

Record = dict[str, Any]
COMMANDS = frozenset(("shift_leader", "admin", "technician"))
LIVE_SECONDS = 3.0
FORM_SECONDS = 2.0
NOTICE_MINUTES = "30"


class DevicesScreen(EquipmentCalls, SeatScreen):
    """Devices and positions; read anew every few seconds while it is seen."""

    TITLE_KEY = "screen.devices"
    DEFAULT_CSS = """
    DevicesScreen Rows { height: 40%; }
    DevicesScreen #below { height: 1fr; border-top: solid $surface; padding: 0 1; }
    """
    BINDINGS = [
        Binding("a", "act", "key.device_action", id="devices.act"),
        Binding("b", "brightness", "key.brightness", id="devices.brightness"),
        Binding("i", "identify", "key.device_status", id="devices.status"),
        Binding("u", "notice", "key.urgent_notice", id="devices.notice"),
        Binding("U", "normal", "key.end_notice", id="devices.normal"),
        Binding("J", "turn_below(1)", "key.scroll_down", id="devices.down"),
        Binding("K", "turn_below(-1)", "key.scroll_up", id="devices.up"),
        Binding("N", "reload", "key.reload", id="devices.reload"),
        Binding("escape", "leave", "key.back", id="devices.leave"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.told: EquipmentRead | None = None
        self._below_of = ""

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield Rows()
        with Vertical(id="below"):
            yield LinePane(id="text")
        yield Banner()
        yield KeyLine()

    def on_mount(self) -> None:
        self.rows.focus()
        self.set_interval(LIVE_SECONDS, self._look_again)
        self.relabel()

    def on_screen_resume(self) -> None:
        self.console.let_keys_go()
        self.load()

    @property
    def rows(self) -> Rows:
        """The table."""
        return self.query_one(Rows)

    @property
    def device(self) -> Record | None:
        """The device under the cursor."""
        devices = self.told.devices if self.told else []
        return next((device for device in devices if key_of(device) == self.rows.selected), None)

    @property
    def commands(self) -> bool:
        """Whether this account may hand commands in."""
        session = self.context.session
        return session is not None and not session.roles.isdisjoint(COMMANDS)

    # Drawing.

    def relabel(self) -> None:
        super().relabel()
        self._draw()

    def _draw(self) -> None:
        labels, told = self.context.labels, self.told
        if told is not None:
            unwell = sum(not well(device) for device in told.devices)
            counted = labels("devices.counted", number=len(told.devices), unwell=unwell)
            if left := unsent(told.messages):
                counted = f"{labels('devices.unsent_short', number=len(left))}  {counted}"
            self.draw_title(counted)
            self.rows.fill(*device_rows(told.devices, labels))
        self._draw_below()

    def _draw_below(self, *, home: bool = False) -> None:
        labels, told, device, text = self.context.labels, self.told, self.device, Text(no_wrap=True)
        width = max(self.app.size.width - 2, 40)
        if told is not None:
            text = device_text(device, labels, width) if device else nothing_text(labels, width)
            text.append(commands_text(told.commands, told.devices, labels, width))
            text.append(messages_text(told.messages, labels, width))
            text.append(positions_text(told.positions, labels))
        self.query_one(LinePane).put(text, home=home)
        keys: list[tuple[str, str]] = []
        if device is not None and self.commands:
            keys += [("a", labels("key.device_action")), ("i", labels("key.device_status"))]
            keys += [("b", labels("key.brightness"))] if self._can("brightness") else []
        if self.commands and told is not None and any(_can(item, "text") for item in told.devices):
            keys += [("u", labels("key.urgent_notice")), ("U", labels("key.end_notice"))]
        keys.append(("J", labels("key.scroll_down")))
        self.draw_keys([*keys, ("Esc", labels("key.back")), ("N", labels("key.reload"))])

    @on(EquipmentRead)
    def _equipment_read(self, event: EquipmentRead) -> None:
        self.told = event
        self._draw()

    @on(Rows.Moved)
    def _moved(self, event: Rows.Moved) -> None:
        self._draw_below(home=event.key != self._below_of)
        self._below_of = event.key

    @on(Resize)
    def _resized(self) -> None:
        self._draw_below()

    @on(DataTable.RowSelected)
    def _row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.action_act()

    def _look_again(self) -> None:
        if self.app.screen is self:
            self.load()

    # What the operator does.

    def action_act(self) -> None:
        device, labels = self.device, self.context.labels
        if device is None or not self._may():
            return
        letters = "1234567890abcdefghijk"
        choices = [
            Choice(item["name"], f"{item['name']} {labels.pick(item['zh'], item['en'])}", letter)
            for letter, item in zip(letters, device["actions"], strict=False)
        ]
        if not choices:
            self.say(labels("devices.no_actions"))
            return
        self.pick("key.device_action", choices, lambda name: self._with_value(device, name))

    def action_brightness(self) -> None:
        device = self.device
        if device is not None and self._may() and self._can("brightness"):
            self._with_value(device, "brightness")

    def action_identify(self) -> None:
        device = self.device
        if device is not None and self._may():
            self.order(device["name"], "status" if self._can("status") else "identify", None)

    def action_notice(self) -> None:
        labels = self.context.labels
        if not self._may():
            return
        self.console.hold_keys(FORM_SECONDS)
        fields = (Field("notice", TEXT, True), Field("minutes", TEXT, default=NOTICE_MINUTES))
        form = Form(labels("key.urgent_notice"), labels("devices.notice_about"), "", fields, versioned=False)

        def done(body: Record | None) -> None:
            if body is None:
                return
            minutes = str(body.get("minutes") or NOTICE_MINUTES)
            if minutes.isascii() and minutes.isdigit() and int(minutes):
                self.order(SIGNS, "notice", f"[{minutes}] {body['notice']}")
            else:
                self.say(labels("devices.minutes_wrong", minutes=minutes))

        self.app.push_screen(FormScreen(self.context, form, None), done)

    def action_normal(self) -> None:
        if self._may():
            self.order(SIGNS, "normal", None)

    def action_turn_below(self, step: int) -> None:
        self.query_one(LinePane).page(step)

    def action_reload(self) -> None:
        self.say("")
        self.load()

    async def action_leave(self) -> None:
        await self.console.action_go("desk")

    def _with_value(self, device: Record, name: str) -> None:
        """Ask for the value of an action, where it takes one, and hand it in."""
        labels = self.context.labels
        action = next(item for item in device["actions"] if item["name"] == name)
        form = action["value"]
        if not form:
            self.order(device["name"], name, None)
            return
        if "|" in form:
            choices = [Choice(word, word, digit) for digit, word in zip("1234567890", form.split("|"), strict=False)]
            self.pick("key.device_action", choices, lambda value: self.order(device["name"], name, value))
            return
        self.console.hold_keys(FORM_SECONDS)
        about = f"{device['name']} {labels.pick(action['zh'], action['en'])} ({form})"
        asked = Form(labels("key.device_action"), about, "", (Field("value", TEXT, True),), versioned=False)

        def done(body: Record | None) -> None:
            if body is not None:
                self.order(device["name"], name, str(body["value"]))

        self.app.push_screen(FormScreen(self.context, asked, None), done)

    def _can(self, action: str) -> bool:
        return self.device is not None and _can(self.device, action)

    def _may(self) -> bool:
        if not self.commands:
            self.say(self.context.labels("devices.may_not"))
        return self.commands


def _can(device: Record, action: str) -> bool:
    return any(item["name"] == action for item in device["actions"])
