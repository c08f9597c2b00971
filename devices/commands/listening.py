"""`wanmi devices watch` and `record`: what comes over a port, understood or just kept."""

from __future__ import annotations

import json
import math
import queue
import signal
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import rich_click as click

from appliance.options import home_option, json_option, say
from devices.commands.shared import baud_option, driver_options

GPSD = ("TPV", "SKY", "GST")
LOOK_SECONDS = 0.1


@click.command()
@click.option("--driver", default="nmea", show_default=True, help="The driver of the device.")
@click.option("--port", required=True, metavar="PATH", help="The port, by its lasting name.")
@baud_option
@driver_options
@click.option("--idle-exit", type=click.FloatRange(0.1), metavar="SECONDS", help="End after so long without a byte.")
@home_option
@json_option
def watch(
    driver: str, port: str, baud: int | None, options: dict[str, Any], idle_exit: float | None, home: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Show what a device says, as it says it.

    With --json one JSON object a line in gpsd's vocabulary (TPV, SKY, DEVICE), at the end STATS with the sentences that
    were accepted and rejected. Damaged sentences are counted, never guessed. The port may go away and come back.
    """
    from devices.drivers.interface import Event
    from devices.drivers.registry import make_driver
    from devices.ports.line import SerialLine
    from devices.ports.owner import PortOwner

    made = make_driver(driver, options)
    made.silent_seconds = math.inf  # type: ignore[misc]  # this device may be silent for as long as it likes
    SerialLine.open(port, baud or made.rates[0], made.framing).close()
    news: queue.SimpleQueue[Event] = queue.SimpleQueue()
    owner = PortOwner(port, port, made, lambda _name, event: news.put(event), rate=baud)
    ending = _ending()
    owner.start()
    heard_at, heard = monotonic(), 0
    try:
        while not ending.is_set():
            with suppress(queue.Empty):
                _show(news.get(timeout=LOOK_SECONDS), port, driver, as_json)
                continue
            if owner.counters.bytes_in != heard:
                heard, heard_at = owner.counters.bytes_in, monotonic()
            if idle_exit is not None and monotonic() - heard_at >= idle_exit:
                break
    finally:
        owner.close()
        for event in _left(news, made):
            _show(event, port, driver, as_json)
        rejected = getattr(made, "rejected", owner.counters.errors)
        _tell({"class": "STATS", "accepted": made.recognised, "rejected": rejected}, as_json)


@click.command()
@click.option("--port", required=True, metavar="PATH", help="The port, by its lasting name.")
@click.option("--baud", type=click.IntRange(300, 4_000_000), default=9600, show_default=True, help="Bits a second.")
@click.option("--framing", default="8N1", show_default=True, help="8N1, 7E1, 8E1 or 7O1.")
@click.option("--seconds", type=click.FloatRange(0.1), help="End after so long; else Ctrl-C ends it.")
@click.option("--name", "product", default="", help="The product, for the header.")
@click.option("--note", default="", help="What is to be seen in this recording, for the header.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@home_option
@json_option
def record(
    port: str, baud: int, framing: str, seconds: float | None, product: str, note: str, file: Path, home: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Record what a device says into FILE, a log with a header that a test can replay.

    The device is only listened to. Comment lines begin with #; everything else is as it came, byte for byte.
    """
    from devices.ports.line import SerialLine
    from devices.ports.recording import Recorder

    ending = _ending()
    until = math.inf if seconds is None else monotonic() + seconds
    with SerialLine.open(port, baud, framing) as line, Recorder(file, product, port, baud, framing, note) as recorder:
        line.taps.append(recorder.hear)
        while not ending.is_set() and monotonic() < until:
            line.read(LOOK_SECONDS)
        _tell({"file": str(file), "bytes": line.counters.bytes_in}, as_json)


def _ending() -> threading.Event:
    """Set by Ctrl-C and SIGTERM."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    return ending


def _left(news: Any, driver: Any) -> list[Any]:
    """What came before the end, and what the driver still has."""
    found = []
    while not news.empty():
        found.append(news.get())
    finish = getattr(driver, "finish", None)
    return found + (finish(monotonic()) if finish is not None else [])


def _show(event: Any, port: str, driver: str, as_json: bool) -> None:
    if event.kind in GPSD:
        _tell({**event.facts, "device": port}, as_json)
    elif event.kind == "PORT" and event.facts["state"] == "open":
        _tell(
            {"class": "DEVICE", "path": port, "driver": driver, "bps": event.facts["rate"], "activated": True}, as_json
        )
    elif event.kind == "PORT":
        _tell({"class": "DEVICE", "path": port, "driver": driver, "activated": False}, as_json)
        say(event.facts["zh"] + "\n" + event.facts["en"])
    elif event.kind == "HEALTH":
        say(f"{event.facts['zh']} / {event.facts['en']}")
    else:
        _tell({"class": event.kind, **event.facts, "device": port}, as_json)


def _tell(value: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(value, ensure_ascii=False))
        return
    rest = "  ".join(f"{key}={item}" for key, item in value.items() if key not in ("class", "satellites", "device"))
    click.echo(f"{value.get('class', '')} {rest}".strip())
