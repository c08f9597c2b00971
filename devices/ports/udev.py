"""A udev rule for an adapter: its port belongs to the group dialout, and no other program asks it questions.

ModemManager sends AT commands to every new port, which can reach an LED card; brltty takes some CH340 and CP210x
adapters for a Braille display (`protocols.md`, section 7).
"""

from __future__ import annotations

from devices.ports.names import Port

HEADER = "# wanmi: serial devices. Install: cp 99-wanmi-devices.rules /etc/udev/rules.d/ && udevadm control --reload"


def rule(name: str, port: Port, *, modem: bool) -> str:
    """The rule for a device on an adapter; a comment where the port is no USB adapter.

    Args:
        modem: it is a modem of ours: ModemManager keeps off it all the same, because the agent owns the port.
    """
    if port.vendor is None or port.product is None:
        return f"# {name}: {port.path} is no USB adapter; add the account of the agent to the group dialout"
    match = f'SUBSYSTEM=="tty", ATTRS{{idVendor}}=="{port.vendor:04x}", ATTRS{{idProduct}}=="{port.product:04x}"'
    if port.serial_number:
        match += f', ATTRS{{serial}}=="{port.serial_number}"'
    what = "modem" if modem else "device"
    return (
        f"# {name}: {what}\n"
        f'{match}, GROUP="dialout", MODE="0660", ENV{{ID_MM_DEVICE_IGNORE}}="1", ENV{{ID_MM_PORT_IGNORE}}="1", '
        f'ENV{{BRLTTY_BRAILLE_DRIVER}}=""'
    )


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
