"""Devices as rows and as text: how they stand and what they told last, what is wrong first. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeGuard

from rich.text import Text

from appliance.i18n.labels import Labels
from tui.cells import fit, wrap
from tui.columns import Column, Row
from tui.show import clock_text

Record = dict[str, Any]
LABEL_CELLS = 10
TOLD_FIRST = (
    "brightness",
    "blank",
    "frozen",
    "pattern",
    "input",
    "clock",
    "registered",
    "signal",
    "reachable",
    "model",
)
"""Of what a device told of itself these come first; the others follow."""
KILOMETRES = 3.6


def device_rows(devices: list[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """One row a device, the unwell ones first."""
    columns = [
        Column(labels("devices.column_state"), 14), Column(labels("devices.column_name"), share=2),
        Column(labels("devices.column_driver"), 9), Column(labels("devices.column_tells"), share=5),
        Column(labels("devices.column_since"), 12),
    ]  # fmt: skip
    rows = []
    for device in sorted(devices, key=lambda item: (well(item), item["name"], item["agent"])):
        cells = (
            state_of(device, labels), (device["name"], ""), (device["driver"], ""),
            (summary(device, labels), ""), (clock_text(_since(device)), ""),
        )  # fmt: skip
        rows.append(Row(key_of(device), cells))
    return columns, rows


def key_of(device: Record) -> str:
    """What tells a device from all others: two agents may have one of the same name."""
    return f"{device['agent']}/{device['name']}"


def agent_of(device: Record) -> str:
    """The name of the key with which the device's agent comes in."""
    return str(device["agent"]).removeprefix("key:")


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
    if trouble := trouble_of(device, labels):
        return trouble
    fix = device["facts"].get("TPV")
    if fix is not None:
        return _fix_text(fix, device["facts"].get("SKY") or {}, labels)
    return facts_text(device["facts"].get("status") or {}, labels)


def trouble_of(device: Record, labels: Labels) -> str:
    """What is wrong, in a sentence; empty when nothing is."""
    if not device["heard"]:
        return labels("devices.agent_since", agent=agent_of(device), time=clock_text(device["told_at"]))
    return "" if device["well"] else labels.pick(device["zh"], device["en"])


def device_text(device: Record, labels: Labels, width: int) -> Text:
    """Everything that is known of one device, in lines of at most `width` cells."""
    text = Text(no_wrap=True)
    add(text, f"{device['name']}  {device['driver']}  {labels('devices.agent')} {agent_of(device)}", width, "bold")
    add(text, f"{device['port']}  {device['rate'] or ''}", width, "dim")
    if trouble := trouble_of(device, labels):
        add(text, trouble, width, "bold red")
    if not device["well"] and not device["heard"]:
        add(text, labels.pick(device["zh"], device["en"]), width, "red")
    for kind, facts in device["facts"].items():
        name = f"devices.kind.{kind}"
        add(text, facts_text(facts, labels), width, label=labels(name) if name in labels else kind)
    counters = "  ".join(f"{key} {value}" for key, value in device["counters"].items())
    add(text, counters, width, "dim", label=labels("devices.counters"))
    return text


def facts_text(facts: Record, labels: Labels) -> str:
    """Plain facts in one line, those that matter to an operator first."""
    first = [key for key in TOLD_FIRST if key in facts]
    keys = [*first, *(key for key in facts if key not in TOLD_FIRST)]
    return "  ".join(f"{_name(key, labels)} {_value(facts[key], labels)}" for key in keys if _is_plain(facts[key]))


def add(text: Text, line: str, width: int, style: str = "", *, label: str | None = None) -> None:
    """Add a line, broken where it is too long; under a label the further lines are indented."""
    if not line.strip():
        return
    room = width if label is None else width - LABEL_CELLS
    for at, piece in enumerate(wrap(line, max(room, LABEL_CELLS))):
        if label is not None:
            text.append(fit(label if at == 0 else "", LABEL_CELLS), "dim")
        text.append(f"{piece}\n", style)


def _fix_text(fix: Record, sky: Record, labels: Labels) -> str:
    lon, lat, speed, used = fix.get("lon"), fix.get("lat"), fix.get("speed"), sky.get("uSat")
    if not _is_number(lon) or not _is_number(lat):
        return labels("devices.no_fix")
    parts = [f"{lon:.5f},{lat:.5f}"]
    parts += [f"{speed * KILOMETRES:.0f} km/h"] if _is_number(speed) else []
    parts += [labels("devices.satellites", number=used)] if _is_number(used) else []
    return "  ".join(parts)


def _since(device: Record) -> str:
    return datetime.fromtimestamp(device["since"], UTC).isoformat()


def _name(key: str, labels: Labels) -> str:
    return labels(f"devices.fact.{key}") if f"devices.fact.{key}" in labels else key


def _value(value: Any, labels: Labels) -> str:
    if isinstance(value, bool):
        return labels("devices.yes" if value else "devices.no")
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
