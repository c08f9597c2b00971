"""Devices as rows and as text: how they stand, what they told, commands and messages that came to nothing. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from appliance.i18n.labels import Labels
from tui.cells import fit
from tui.columns import Column, Row
from tui.show import clock_text

Record = dict[str, Any]
SILENT_SECONDS = 900
"""A collector who sent nothing for a quarter of an hour is shown as silent."""
COMMANDS_SHOWN = 6
LABEL_CELLS = 14


def device_rows(devices: list[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """One row a device, the unwell ones first."""
    columns = [
        Column(labels("devices.column_state"), 12), Column(labels("devices.column_name"), share=2),
        Column(labels("devices.column_driver"), share=1), Column(labels("devices.column_tells"), share=5),
        Column(labels("devices.column_since"), 12),
    ]  # fmt: skip
    rows = []
    for device in sorted(devices, key=lambda item: (well(item), item["name"])):
        since = datetime.fromtimestamp(device["since"], UTC).isoformat()
        cells = (
            state_of(device, labels), (device["name"], ""), (device["driver"], ""),
            (summary(device, labels), ""), (clock_text(since), ""),
        )  # fmt: skip
        rows.append(Row(device["name"], cells))
    return columns, rows


def well(device: Record) -> bool:
    """Whether a device is well, and its agent heard of."""
    return bool(device["well"] and device["heard"])


def state_of(device: Record, labels: Labels) -> tuple[str, str]:
    """The state in a word with its style."""
    if not device["heard"]:
        return labels("devices.agent_silent"), "bold red"
    key = f"devices.state.{device['state']}"
    word = labels(key) if key in labels else device["state"]
    return word, "green" if device["well"] else "bold yellow" if device["state"] == "starting" else "bold red"


def summary(device: Record, labels: Labels) -> str:
    """What a device told last, in one line; what is wrong with it comes first."""
    if not device["well"] and device["zh"]:
        return labels.pick(device["zh"], device["en"])
    fix = device["facts"].get("TPV")
    if fix is not None:
        if "lat" not in fix:
            return labels("devices.no_fix")
        speed = f"  {fix['speed'] * 3.6:.0f} km/h" if "speed" in fix else ""
        used = device["facts"].get("SKY", {}).get("uSat")
        return f"{fix['lon']:.5f},{fix['lat']:.5f}{speed}" + (f"  {used}*" if used else "")
    status = device["facts"].get("status") or {}
    return "  ".join(f"{key} {_short(value)}" for key, value in status.items() if _is_plain(value))


def device_text(device: Record, labels: Labels) -> Text:
    """Everything that is known of one device."""
    text = Text(no_wrap=True)
    text.append(f"{device['name']}  {device['driver']}  {device['port']}", "bold")
    text.append(f"  {device['rate'] or ''}  {device['agent']}\n", "dim")
    if device["zh"]:
        text.append(f"{labels.pick(device['zh'], device['en'])}\n", "bold red" if not device["well"] else "")
    for kind, facts in device["facts"].items():
        shown = "  ".join(f"{key}={_short(value)}" for key, value in facts.items() if _is_plain(value))
        text.append(fit(kind, LABEL_CELLS)).append(f"{shown}\n", "")
    counters = "  ".join(f"{key} {value}" for key, value in device["counters"].items())
    text.append(fit(labels("devices.counters"), LABEL_CELLS), "dim").append(f"{counters}\n", "dim")
    return text


def commands_text(commands: list[Record], labels: Labels) -> Text:
    """The last commands and what came of them."""
    text = Text(no_wrap=True)
    if not commands:
        return text
    text.append(f"\n{labels('devices.commands')}\n", "bold")
    for item in commands[:COMMANDS_SHOWN]:
        mark, style = (
            ("..", "yellow") if item["ok"] is None
            else (labels("devices.done"), "green") if item["ok"] else (labels("devices.not_done"), "bold red")
        )  # fmt: skip
        value = f" {item['value']}" if item["value"] else ""
        text.append(f"{clock_text(item['at'])}  {item['name']}  {item['device']} {item['action']}{value}  ")
        why = labels.pick(item["zh"], item["en"])
        text.append(mark, style).append(f"  {why}\n" if why else "\n")
    return text


def messages_text(messages: list[Record], labels: Labels) -> Text:
    """Messages to departments that were not sent."""
    text = Text(no_wrap=True)
    unsent = [item for item in messages if item["state"] != "sent"]
    if not unsent:
        return text
    text.append(f"\n{labels('devices.unsent', number=len(unsent))}\n", "bold yellow")
    for item in unsent[:COMMANDS_SHOWN]:
        state = labels(f"devices.message.{item['state']}")
        text.append(f"{clock_text(item['at'])}  {item['department_name']}  {item['case']}  {state} {item['detail']}\n")
    return text


def positions_text(positions: list[Record], labels: Labels) -> Text:
    """Who sent a position and how long ago, the silent ones last."""
    text = Text(no_wrap=True)
    if not positions:
        return text.append(f"\n{labels('devices.none')}\n")
    text.append(f"\n{labels('devices.positions', number=len(positions))}\n", "bold")
    for item in sorted(positions, key=lambda item: (item["age"] > SILENT_SECONDS, item["name"])):
        silent = item["age"] > SILENT_SECONDS
        text.append(fit(f"{item['name']} {item['who']}", 30), "dim" if silent else "")
        text.append(labels("devices.age", minutes=item["age"] // 60), "bold yellow" if silent else "green")
        text.append("\n")
    return text


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _short(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
