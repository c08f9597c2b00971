"""`wanmi devices send`, `notice`, `normal`: one command to a device, directly or through the running agent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from appliance.options import home_option, json_option, show
from devices.commands.shared import baud_option, driver_options


@click.command()
@click.option("--driver", help="The driver; together with --port.")
@click.option("--port", metavar="PATH", help="The port, by its lasting name; nobody else may have it open.")
@click.option("--name", help="Or a configured device; a running agent sends the command.")
@baud_option
@driver_options
@click.argument("action")
@click.argument("value", nargs=-1)
@home_option
@json_option
def send(
    driver: str | None, port: str | None, name: str | None, baud: int | None, options: dict[str, Any], action: str,
    value: tuple[str, ...], home: Path, as_json: bool,
) -> None:  # fmt: skip
    """Send ACTION, with VALUE where it takes one, and show what the device answered.

    Actions, as far as the device has them: identify, status, brightness 0-100, blank on|off, freeze on|off,
    pattern NAME, input NAME, clock, text TEXT, clear. With --json also the request and the answer in hexadecimal.

    \b
    Examples:
      wanmi devices send --driver novastar --port /dev/serial/by-id/… brightness 60
      wanmi devices send --name strip text 今日无超期案件
    """
    given = " ".join(value) if value else None
    if name is not None:
        told = _through_agent(home, name, action, given)
    elif driver and port:
        told = _directly(driver, port, baud, options, action, given)
    else:
        raise click.UsageError("须给出 --driver 与 --port,或 --name / give --driver and --port, or --name")
    if as_json:
        show({"action": action, "value": given, **told})
        return
    for key, item in told["facts"].items():
        click.echo(f"{key}\t{item}")
    if not told["facts"]:
        click.echo("完成 (done)")


@click.command()
@click.option("--minutes", type=click.FloatRange(1, 10_080), help="How long it stays; else as [strip] says.")
@click.argument("text", nargs=-1, required=True)
@home_option
@json_option
def notice(minutes: float | None, text: tuple[str, ...], home: Path, as_json: bool) -> None:
    """Show TEXT on all signs at once; they go back to the figures when its time is over."""
    words = " ".join(text)
    _signs(home, "notice", words if minutes is None else f"[{minutes:.0f}] {words}", as_json)


@click.command()
@home_option
@json_option
def normal(home: Path, as_json: bool) -> None:
    """End the notice: the signs go back to the figures."""
    _signs(home, "normal", None, as_json)


def _signs(home: Path, action: str, value: str | None, as_json: bool) -> None:
    told = _asked(home, "signs", action, value)["answer"]
    if as_json:
        show(told)
    else:
        click.echo("、".join(told["signs"]) + (f" 至 (until) {told['until']}" if told["until"] else " 恢复 (normal)"))


def _through_agent(home: Path, name: str, action: str, value: str | None) -> dict[str, Any]:
    return dict(_asked(home, name, action, value)["answer"])


def _asked(home: Path, name: str, action: str, value: str | None) -> dict[str, Any]:
    from devices.agent.control import ask_agent
    from devices.errors import DeviceError

    outcome = ask_agent(home, {"device": name, "action": action, "value": value})
    if not outcome["ok"]:
        raise DeviceError(outcome["zh"], outcome["en"])
    return outcome


def _directly(
    driver: str, port: str, baud: int | None, options: dict[str, Any], action: str, value: str | None
) -> dict[str, Any]:
    from devices.drivers.interface import check_value
    from devices.drivers.registry import blamed, make_driver
    from devices.exchange import perform
    from devices.ports.finding import at_found_rate
    from devices.ports.line import SerialLine

    made = make_driver(driver, options)
    check_value(made, action, value)
    with blamed(driver), SerialLine.open(port, baud or made.rates[0], made.framing) as line:
        if baud is None:
            at_found_rate(line, made)
        return perform(line, made, action, value).as_dict()
