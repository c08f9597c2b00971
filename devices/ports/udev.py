"""A udev rule for an adapter: its port belongs to the group dialout, and no other program asks it questions.

ModemManager sends AT commands to every new port, which can reach an LED card; brltty takes some CH340 and CP210x
adapters for a Braille display (`protocols.md`, section 7).
"""

from __future__ import annotations

import re

from devices.ports.names import Port

PLAIN = re.compile(r"[A-Za-z0-9._:-]+")
"""Serial numbers that stand in a rule. The adapter tells them: a quote or line break would write a rule of its own."""

HEADER = "# wanmi: serial devices. Install: cp 99-wanmi-devices.rules /etc/udev/rules.d/ && udevadm control --reload"


def rule(name: str, port: Port, *, modem: bool) -> str:
    """The rule for a device on an adapter; a comment where the port is no USB adapter.

    Args:
        modem: it is a modem of ours: ModemManager keeps off it all the same, because the agent owns the port.
    """
    if port.vendor is None or port.product is None:
        where = _one_line(f"{name}: {port.path}")
        return f"# {where} is no USB adapter; add the account of the agent to the group dialout"
    match = f'SUBSYSTEM=="tty", ATTRS{{idVendor}}=="{port.vendor:04x}", ATTRS{{idProduct}}=="{port.product:04x}"'
    note = ""
    if port.serial_number and PLAIN.fullmatch(port.serial_number):
        match += f', ATTRS{{serial}}=="{port.serial_number}"'
    elif port.serial_number:
        note = "; its serial number is no plain text, so that all adapters of this model are meant"
    what = "modem" if modem else "device"
    return (
        f"# {_one_line(name)}: {what}{note}\n"
        f'{match}, GROUP="dialout", MODE="0660", ENV{{ID_MM_DEVICE_IGNORE}}="1", ENV{{ID_MM_PORT_IGNORE}}="1", '
        f'ENV{{BRLTTY_BRAILLE_DRIVER}}=""'
    )


def _one_line(text: str) -> str:
    """The text as a part of a comment, which no character ends."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def advice(installed: frozenset[str]) -> list[tuple[str, str]]:
    """What else may take the port, in both languages.

    Args:
        installed: names of programs that are on this machine.
    """
    found = []
    if "ModemManager" in installed:
        found.append(
            (
                "本机装有 ModemManager,它会向新串口发送 AT 命令;不用上网卡时请 apt-get remove modemmanager。",
                "ModemManager is installed and sends AT commands to new ports; apt-get remove modemmanager unless it "
                "is needed.",
            )
        )
    if "brltty" in installed:
        found.append(
            (
                "本机装有 brltty,它会占用部分 CH340/CP210x 转换器;请 apt-get remove brltty。",
                "brltty is installed and claims some CH340 and CP210x adapters; apt-get remove brltty.",
            )
        )
    return found
