"""How long a command to a sign takes beside the time that its bits take on the wire, at 9600 and 115200 bit/s.

The fake device is paced: a byte of its answer is there when its last bit would be. What is over is ours: the driver,
the line, two threads. A start bit, eight bits and a stop bit are a byte.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter

from devices.drivers.alpha import Alpha
from devices.drivers.am03127 import Am03127
from devices.drivers.interface import Driver
from devices.drivers.novastar import NovaStar
from devices.drivers.onbon import Onbon
from devices.fakes.host import BITS_PER_BYTE, Host
from devices.fakes.table import make_fake
from devices.ports.line import SerialLine

RATES = (9600, 115200)
ROUNDS = 20
BOUND = 1.2
COMMANDS: tuple[tuple[Driver, str, str | None], ...] = (
    (NovaStar(), "brightness", "50"),
    (NovaStar(), "status", None),
    (Onbon(), "brightness", "50"),
    (Onbon(), "status", None),
    (Am03127(), "text", "River level 3.25 m, road closed"),
    (Alpha({"acknowledge": True}), "text", "River level 3.25 m, road closed"),
)


def measure() -> bool:
    """Every command at both rates; True when none takes more than the bound."""
    good = True
    for driver, action, value in COMMANDS:
        for rate in RATES:
            took, wire = round_trip(driver, action, value, rate)
            good = good and took <= BOUND * wire
            print(
                f"{driver.key:9} {action:10} {rate:7} bit/s  {took * 1000:7.1f} ms, the wire {wire * 1000:7.1f} ms"
                f"  {took / wire:5.2f}  (bound {BOUND})"
            )
    return good


def round_trip(driver: Driver, action: str, value: str | None, rate: int) -> tuple[float, float]:
    """The median of some rounds, and the time of its bits, in seconds."""
    fake = make_fake(driver.key, options={"acknowledge": True})
    fake.rate = rate  # type: ignore[misc]
    with Host(fake) as cable, SerialLine.open(cable.path, rate) as line:
        driver.do(line, action, value)
        took, counters = [], line.counters
        before = counters.bytes_in + counters.bytes_out
        for _ in range(ROUNDS):
            started = perf_counter()
            driver.do(line, action, value)
            took.append(perf_counter() - started)
        sent = (counters.bytes_in + counters.bytes_out - before) / ROUNDS
    return median(took), sent * BITS_PER_BYTE / rate
