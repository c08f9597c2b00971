"""The rate of a device that answers: ask at one rate after the other, with frames that only read."""

from __future__ import annotations

from collections.abc import Callable

from devices.drivers.interface import Driver
from devices.ports.line import SerialLine


def at_found_rate(
    line: SerialLine, driver: Driver, first: int | None = None, stop: Callable[[], bool] = lambda: False
) -> bool:
    """Set the line to the first rate at which the device answers, to the likeliest one where none does.

    Args:
        first: the rate that was right the last time.

    Returns:
        Whether the device answered; a driver with a single rate is not asked.

    Raises:
        PortLost: the port went away.
    """
    rates = sorted(driver.rates, key=lambda rate: rate != first)
    if len(rates) == 1:
        line.set_rate(rates[0])
        return True
    for rate in rates:
        line.set_rate(rate)
        if stop() or driver.probe(line) is not None:
            return True
    line.set_rate(rates[0])
    return False
