"""Under the devices: the last commands and what came of them, messages that were not sent, who sent positions. Pure."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from appliance.i18n.labels import Labels
from tui.cells import fit, wrap
from tui.equipment.text import add
from tui.show import clock_text

Record = dict[str, Any]
SILENT_SECONDS = 900
"""A collector who sent nothing for a quarter of an hour is shown as silent."""
COMMANDS_SHOWN = 6
MARK_CELLS, NAME_CELLS, UNIT_CELLS, STATE_CELLS = 7, 30, 20, 16
INDENT = "    "
SIGNS = "signs"
"""The name that stands for all signs."""
WORDS = {"notice": "key.urgent_notice", "normal": "key.end_notice", "status": "key.device_status"}
"""Actions of the house itself; those of a device have their words from its driver."""


def unsent(messages: list[Record]) -> list[Record]:
    """The messages that reached nobody, newest first."""
    return [item for item in messages if item["state"] != "sent"]


def commands_text(commands: list[Record], devices: list[Record], labels: Labels, width: int) -> Text:
    """The last commands and what came of them."""
    text = Text(no_wrap=True)
    if not commands:
        return text
    text.append(f"\n{labels('devices.commands')}\n", "bold")
    for item in commands[:COMMANDS_SHOWN]:
        mark, style = (
            (labels("devices.waits"), "yellow") if item["ok"] is None
            else (labels("devices.done"), "green") if item["ok"] else (labels("devices.not_done"), "bold red")
        )  # fmt: skip
        device = labels("devices.all_signs") if item["device"] == SIGNS else item["device"]
        what = " ".join(filter(None, (action_word(item, devices, labels), item["value"])))
        text.append(f"{clock_text(item['at'])} ").append(fit(mark, MARK_CELLS), style)
        text.append(_cut(f"{item['name']}  {device}  {what}", width - MARK_CELLS - 12)).append("\n")
        for line in wrap(labels.pick(item["zh"], item["en"]), width - len(INDENT)) if item["ok"] is False else ():
            text.append(f"{INDENT}{line}\n", "red")
    return text


def action_word(command: Record, devices: list[Record], labels: Labels) -> str:
    """What a command does, in a word."""
    if command["action"] in WORDS:
        return labels(WORDS[command["action"]])
    actions = (action for item in devices if item["name"] == command["device"] for action in item["actions"])
    found = next((action for action in actions if action["name"] == command["action"]), None)
    return str(command["action"]) if found is None else labels.pick(found["zh"], found["en"])


def messages_text(messages: list[Record], labels: Labels, width: int) -> Text:
    """Messages to departments that were not sent."""
    text, found = Text(no_wrap=True), unsent(messages)
    if not found:
        return text
    text.append(f"\n{labels('devices.unsent', number=len(found))}\n", "bold yellow")
    for item in found[:COMMANDS_SHOWN]:
        line = (
            f"{clock_text(item['at'])} {fit(labels('devices.message.' + item['state']), STATE_CELLS)}"
            f"{fit(item['department_name'], UNIT_CELLS)}  {item['case']}"
        )
        text.append(f"{_cut(line, width)}\n")
        if item["detail"]:
            text.append(f"{_cut(INDENT + item['detail'], width)}\n", "dim")
    return text


def positions_text(positions: list[Record], labels: Labels) -> Text:
    """Who sent a position and how long ago, the silent ones last."""
    text = Text(no_wrap=True)
    if not positions:
        return text.append(f"\n{labels('devices.none')}\n")
    text.append(f"\n{labels('devices.positions', number=len(positions))}\n", "bold")
    for item in sorted(positions, key=lambda item: (item["age"] > SILENT_SECONDS, item["name"])):
        silent = item["age"] > SILENT_SECONDS
        name = item["name"] if item["name"] == item["who"] else f"{item['name']} {item['who']}"
        text.append(fit(name, NAME_CELLS), "dim" if silent else "")
        text.append(labels("devices.age", minutes=item["age"] // 60), "bold yellow" if silent else "green")
        text.append("\n")
    return text


def nothing_text(labels: Labels, width: int) -> Text:
    """What to do where no device is set up."""
    text = Text(no_wrap=True)
    add(text, labels("devices.no_devices"), width, "bold")
    add(text, labels("devices.no_devices_how"), width)
    return text


def _cut(line: str, width: int) -> str:
    """One line that is cut where it is too long; its columns stay."""
    line = line.rstrip()
    return line if cell_len(line) <= width else set_cell_size(line, width - 2).rstrip() + ".."
