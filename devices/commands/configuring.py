"""`wanmi devices list`, `drivers`, `probe`, `add`, `remove`: which devices there are and which are ours."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import rich_click as click

from appliance.options import home_option, json_option, say, show
from devices.commands.shared import baud_option, driver_options

MARK = {True: "良好 (well)", False: "异常 (unwell)"}
UDEV_FILE = Path("run") / "99-wanmi-devices.rules"


@click.command("list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """List the configured devices and how they stand.

    The standing comes from the running agent; without one it is "not running".
    """
    from appliance.settings import load
    from devices.agent.control import ask_agent
    from devices.errors import DeviceError

    configured = load(home).devices
    try:
        standings = {item["name"]: item for item in ask_agent(home, {"action": "list"}, seconds=5.0)["devices"]}
    except DeviceError:
        standings = {}
    rows = []
    for device in configured:
        standing = standings.get(device.name, {"state": "not running" if device.enabled else "disabled"})
        rows.append({**device.model_dump(mode="json"), **standing})
    if as_json:
        show(rows)
        return
    if not rows:
        say("还没有设备;先 wanmi devices probe,再 wanmi devices add。\nNo devices yet: wanmi devices probe, then add.")
    for row in rows:
        state = f"{MARK[row['well']]} {row['state']}" if "well" in row else row["state"]
        click.echo(f"{row['name']}\t{row['driver']}\t{row['port']}\t{state}\t{row.get('zh', '')}".rstrip())


@click.command()
@home_option
@json_option
def drivers(home: Path, as_json: bool) -> None:
    """List the drivers: what each device can do and which options it has."""
    from devices.drivers.registry import driver_names

    rows = [_driver_row(name) for name in driver_names()]
    if as_json:
        show(rows)
        return
    for row in rows:
        click.echo(f"{row['driver']}\t{row['zh']}\t{row.get('en', row.get('error'))}")
        for item in row.get("actions", ()):
            click.echo(f"    {item['name']} {item['value']}\t{item['zh']}".rstrip())
        for key, item in row.get("options", {}).items():
            click.echo(f"    -o {key}={item['default']!r}\t{item['zh']} ({item['en']})")


@click.command()
@click.option("--port", "paths", multiple=True, metavar="PATH", help="Only this port; may be given again.")
@click.option("--driver", "wanted", multiple=True, help="Only this driver; may be given again.")
@click.option("--listen", type=click.FloatRange(0.2, 60), default=2.2, show_default=True, help="Seconds to listen.")
@home_option
@json_option
def probe(paths: tuple[str, ...], wanted: tuple[str, ...], listen: float, home: Path, as_json: bool) -> None:
    """See what hangs on which port. Only listens and reads; nothing is changed at any device.

    A device that talks by itself (a receiver) is never written to. Ports that the agent owns are told as in use.
    """
    from devices.drivers.registry import check_names
    from devices.ports.names import Port, ports
    from devices.ports.probing import probe_port

    check_names(wanted)
    known = [Port(path, path, "") for path in paths] or ports()
    rows = []
    for port in known:
        if not as_json:
            say(f"{port.path} …")
        found = probe_port(port.path, listen_seconds=listen, drivers=wanted)
        found.device, found.what = port.device, port.what
        rows.append(found.as_dict())
        if not as_json:
            what = f"{found.driver} @{found.rate} {found.facts}" if found.driver else f"- {found.zh}"
            click.echo(f"{port.path}\t{what}")
            for fault in found.faulty:
                say(f"{fault['zh']}\n{fault['en']}")
    if as_json:
        show(rows)
    elif not rows:
        say("没有发现串口;请检查 USB 转换器。\nNo serial port was found; check the USB adapter.")


@click.command()
@click.argument("name")
@click.option("--driver", required=True, help="The driver (wanmi devices drivers).")
@click.option("--port", required=True, metavar="PATH", help="The port; its lasting name is looked up.")
@baud_option
@driver_options
@click.option("--no-try", is_flag=True, help="Do not look whether the device answers.")
@click.option("--udev", is_flag=True, help="As root: install the udev rule, too.")
@home_option
@json_option
def add(
    name: str, driver: str, port: str, baud: int | None, options: dict[str, Any], no_try: bool, udev: bool, home: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Add the device NAME to the settings; a running agent takes it over within seconds.

    The device is tried first. A udev rule that keeps other programs off the port is written to the home's run folder.
    """
    from appliance.settings import load
    from devices.configuration import add_device, checked
    from devices.drivers.registry import blamed, make_driver
    from devices.ports.names import is_lasting, lasting_name

    load(home)
    lasting = lasting_name(port)
    values = {"name": name, "driver": driver, "port": lasting, "baud": baud or "auto", "options": options}
    device = checked(values)
    with blamed(driver):
        tried = None if no_try else _try(lasting, driver, baud, options)
    add_device(home, device)
    rule_file = _write_rule(home, name, lasting, make_driver(driver, options).key == "modem", udev)
    if not is_lasting(lasting):
        say(f"{lasting} 没有固定名称,重新插拔后可能改变。\n{lasting} has no lasting name; it may change.")
    _advise()
    if as_json:
        show({**device.model_dump(mode="json"), "tried": tried, "udev": str(rule_file)})
        return
    click.echo(f"已添加 {name} (added): {driver} {lasting}")
    say(f"udev 规则 (rule): {rule_file}")


@click.command()
@click.argument("name")
@home_option
@json_option
def remove(name: str, home: Path, as_json: bool) -> None:
    """Take the device NAME out of the settings; its recorded positions stay."""
    from devices.configuration import remove_device

    remove_device(home, name)
    show({"removed": name}) if as_json else click.echo(f"已移除 {name} (removed)")


def _driver_row(name: str) -> dict[str, Any]:
    """What a driver tells of itself; one that cannot be loaded, or tells nonsense, with its fault."""
    from devices.drivers.registry import blamed, driver_class
    from devices.errors import BadSetup

    try:
        found = driver_class(name)
        with blamed(name):
            row = {
                "driver": name, "zh": found.zh, "en": found.en, "rates": list(found.rates), "framing": found.framing,
                "actions": [{"name": item.name, "value": item.value, "zh": item.zh} for item in found.actions],
                "options": {key: {"default": item.default, "zh": item.zh, "en": item.en}
                            for key, item in found.known_options.items()},
            }  # fmt: skip
            json.dumps(row)
    except BadSetup as error:
        return {"driver": name, "zh": error.zh, "error": error.en}
    return row


def _try(port: str, driver: str, baud: int | None, options: dict[str, Any]) -> dict[str, Any]:
    """See that the device answers, or speaks.

    Raises:
        NoAnswer: it does neither. PortMissing, PortBusy.
    """
    from devices.drivers.interface import Driver
    from devices.drivers.registry import make_driver
    from devices.errors import NoAnswer
    from devices.ports.finding import at_found_rate
    from devices.ports.line import SerialLine
    from devices.ports.probing import probe_port

    made = make_driver(driver, options)
    if made.listens:
        found = probe_port(port, drivers=(driver,))
        if found.driver is None:
            raise NoAnswer(
                f"{port}: {found.zh}可用 --no-try 仍然添加。", f"{port}: {found.en} --no-try adds it all the same."
            )
        return {"rate": found.rate, "facts": found.facts}
    with SerialLine.open(port, baud or made.rates[0], made.framing) as line:
        if baud is None:
            at_found_rate(line, made)
        facts = made.probe(line)
        if facts is None and type(made).probe is not Driver.probe:
            raise NoAnswer(
                f"{port} 上没有 {driver} 应答;请检查电源、接线,或用 --no-try 仍然添加。",
                f"No {driver} answers on {port}; check power and wiring, or add it all the same with --no-try.",
            )
        return {"rate": line.rate, "facts": facts or {}}


def _write_rule(home: Path, name: str, path: str, modem: bool, install: bool) -> Path:
    import os

    from devices.ports import udev
    from devices.ports.names import Port, ports

    port = next((item for item in ports() if item.path == path), Port(path, os.path.realpath(path), ""))
    file = home / UDEV_FILE
    file.parent.mkdir(exist_ok=True, mode=0o700)
    lines = file.read_text(encoding="utf-8").rstrip("\n") if file.exists() else udev.HEADER
    file.write_text(f"{lines}\n{udev.rule(name, port, modem=modem)}\n", encoding="utf-8")
    if install:
        shutil.copy(file, "/etc/udev/rules.d/99-wanmi-devices.rules")
    return file


def _advise() -> None:
    from devices.ports.udev import advice

    there = frozenset(
        program for program in ("ModemManager", "brltty") if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    )
    for zh, en in advice(there):
        say(f"{zh}\n{en}")
