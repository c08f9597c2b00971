"""The devices in `wanmi.toml`: added and removed as text, so that a technician's comments stay where they are."""

from __future__ import annotations

import os
import tomllib
from math import isfinite
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from appliance.device_settings import Device
from appliance.settings import FILE, Settings, load
from devices.drivers.registry import make_driver
from devices.errors import BadSetup

HEADER = "[[devices]]"
ALL_SIGNS = "signs"
"""Stands for all signs in commands, so that no device has this name."""


def checked(values: dict[str, Any]) -> Device:
    """A device whose name, driver and options are good.

    Raises:
        BadSetup: the sentence names what is wrong.
    """
    try:
        device = Device(**values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        zh = first.get("ctx", {}).get("zh", first["msg"])
        raise BadSetup(f"设备的 {key} 不对: {zh}。", f"{key} of the device is wrong: {first['msg']}.") from None
    if device.name == ALL_SIGNS:
        raise BadSetup(
            f"设备不能叫 {ALL_SIGNS}: 这个名字代表所有条屏;请换一个名字。",
            f"No device may be named {ALL_SIGNS}, which stands for all signs; take another name.",
        )
    for key, value in device.options.items():
        if not is_plain(value):
            raise BadSetup(
                f"设备的选项 {key} 须为文字、数字、true/false 或它们的列表,得到 {value!r}。",
                f"The option {key} of a device is a text, a number, true or false, or a list of these, got {value!r}.",
            )
    make_driver(device.driver, device.options)
    return device


def is_plain(value: Any) -> bool:
    """Whether an option is a text, a finite number, true or false, or a list of these: what TOML and JSON both have."""
    if isinstance(value, list):
        return all(not isinstance(item, list) and is_plain(item) for item in value)
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, bool | int):
        return abs(value) < 2**63
    return isinstance(value, str) and value == value.encode("utf-8", "ignore").decode()


def add_device(home: Path, device: Device) -> None:
    """Write a device to the end of the settings; where that cannot be done as text the settings are written anew.

    Raises:
        BadSetup: the name or the port is in use. BadHome: the settings cannot be read.
    """
    for known in load(home).devices:
        if known.name == device.name:
            raise BadSetup(
                f"已有设备 {device.name};请换一个名字,或先 wanmi devices remove {device.name}。",
                f"There is a device {device.name} already; take another name, or wanmi devices remove {device.name} "
                f"first.",
            )
        if known.enabled and os.path.realpath(known.port) == os.path.realpath(device.port):
            raise BadSetup(
                f"串口 {device.port} 已属于设备 {known.name}。",
                f"The port {device.port} belongs to the device {known.name} already.",
            )
    text = (home / FILE).read_text(encoding="utf-8")
    values, wanted = device.model_dump(exclude_defaults=True), tomllib.loads(text)
    wanted["devices"] = [*wanted.get("devices", []), values]
    _write(home, _proved(f"{text.rstrip()}\n\n{_as_block(values)}", wanted))


def remove_device(home: Path, name: str) -> None:
    """Take a device out of the settings.

    Raises:
        BadSetup: there is none of this name. BadHome: the settings cannot be read.
    """
    names = [device.name for device in load(home).devices]
    if name not in names:
        raise BadSetup(
            f"没有设备 {name};有: {'、'.join(names) or '(无)'}。",
            f"There is no device {name}; known: {', '.join(names) or '(none)'}.",
        )
    text = (home / FILE).read_text(encoding="utf-8")
    wanted = tomllib.loads(text)
    wanted["devices"] = [device for device in wanted["devices"] if device["name"] != name]
    if not wanted["devices"]:
        del wanted["devices"]
    _write(home, _proved(_without_block(text, names.index(name)), wanted))


def _proved(text: str, wanted: dict[str, Any]) -> str:
    """The text if it says what is wanted; else (inline devices, for instance) that written anew, without comments."""
    try:
        same = tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        same = False
    return text if same else tomli_w.dumps(wanted)


def _as_block(values: dict[str, Any]) -> str:
    options = values.get("options", {})
    rest = {key: value for key, value in values.items() if key != "options"}
    text = f"{HEADER}\n{tomli_w.dumps(rest)}"
    return text + (f"\n[devices.options]\n{tomli_w.dumps(options)}" if options else "")


def _without_block(text: str, number: int) -> str:
    """The text without the `number`th block of devices: from its header to the next table that is not its own."""
    kept, seen, inside = [], -1, False
    for line in text.splitlines(keepends=True):
        start = line.strip()
        if start.startswith(HEADER):
            seen += 1
            inside = seen == number
        elif start.startswith("[") and not start.startswith("[devices.") and inside and start.rstrip().endswith("]"):
            inside = False
        if not inside:
            kept.append(line)
    return "".join(kept)


def _write(home: Path, text: str) -> None:
    """Write the settings whole or not at all, once they were found good."""
    Settings(**tomllib.loads(text))
    new = (home / FILE).with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(home / FILE)
