"""What hangs on a port? Listen first; then frames that only read, one driver after the other; the first answer counts.

Nothing is ever written to a device that talks: a receiver is left in peace (`gnss.md`, "Finding the speed";
`protocols.md`, section 6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from time import monotonic
from typing import Any

from devices.drivers.interface import Driver, Facts
from devices.drivers.registry import blamed, driver_names, make_driver
from devices.errors import BadSetup, DeviceError, FaultyDriver, PortBusy, PortLost, PortMissing
from devices.ports.line import SerialLine

ORDER = ("novastar", "onbon", "modem", "am03127", "alpha")
"""The risk of harm grows along it; drivers of third parties come last."""
LISTEN_SECONDS = 2.2
"""A receiver talks once a second."""


@dataclass(slots=True)
class Found:
    """What was found on a port; `driver` is None where nothing that we know answered. `faulty`: drivers that failed."""

    port: str
    device: str = ""
    what: str = ""
    driver: str | None = None
    rate: int | None = None
    facts: Facts = field(default_factory=dict)
    heard: int = 0
    tried: list[str] = field(default_factory=list)
    faulty: list[dict[str, str]] = field(default_factory=list)
    zh: str = ""
    en: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def probe_port(path: str, *, listen_seconds: float = LISTEN_SECONDS, drivers: tuple[str, ...] = ()) -> Found:
    """Find out what hangs on a port; it is opened for oneself alone meanwhile.

    Args:
        drivers: only these; all without it.
    """
    found = Found(path)
    try:
        makable = _makable(found, drivers)
        for name in (name for name in makable if make_driver(name).listens):
            if _spared(found, name, partial(_listen, found, name, listen_seconds)):
                return found
        if not found.heard:
            for name in sorted((name for name in makable if not make_driver(name).listens), key=_order):
                if _spared(found, name, partial(_ask, found, name)):
                    return found
    except DeviceError as error:
        found.zh, found.en = error.zh, error.en
    if not found.zh and found.heard:
        found.zh = f"有数据 ({found.heard} 字节) 但无法识别,没有发送任何命令。"
        found.en = f"Bytes came ({found.heard}), but nothing that is known; nothing was sent."
    elif not found.zh:
        found.zh, found.en = "没有应答。", "Nothing answered."
    return found


def _listen(found: Found, name: str, seconds: float) -> bool:
    """Whether a device that talks by itself is heard; the other rates are tried only where bytes come."""
    driver = make_driver(name)
    for rate in driver.rates:
        with SerialLine.open(found.port, rate, driver.framing) as line:
            until, before = monotonic() + seconds, driver.recognised
            while (left := until - monotonic()) > 0 and driver.recognised < before + 2:
                data = line.read(left)
                found.heard += len(data)
                driver.heard(data, monotonic())
        found.tried.append(f"{name}@{rate}")
        if driver.recognised >= before + 2:
            found.driver, found.rate = name, rate
            found.facts = {"sentences": driver.recognised}
            return True
        if not found.heard:
            return False
    return False


def _ask(found: Found, name: str) -> bool:
    driver = make_driver(name)
    if type(driver).probe is Driver.probe:
        return False
    for rate in driver.rates:
        with SerialLine.open(found.port, rate, driver.framing) as line:
            facts = driver.probe(line)
        found.tried.append(f"{name}@{rate}")
        if facts is not None:
            found.driver, found.rate, found.facts = name, rate, facts
            return True
    return False


def _spared(found: Found, name: str, step: Callable[[], bool]) -> bool:
    """Do a step with one driver; where that fails it is told, and the others have their turn.

    Raises:
        PortMissing, PortBusy, PortLost: nobody can have a turn.
    """
    try:
        with blamed(name):
            return step()
    except (PortMissing, PortBusy, PortLost):
        raise
    except DeviceError as error:
        found.faulty.append({"driver": name, "zh": error.zh, "en": error.en})
        return False


def _makable(found: Found, wanted: tuple[str, ...]) -> list[str]:
    """Drivers that can be made without options; one that needs some is left out, one that fails is told."""
    names = []
    for name in wanted or tuple(driver_names()):
        try:
            make_driver(name)
        except FaultyDriver as error:
            found.faulty.append({"driver": name, "zh": error.zh, "en": error.en})
        except BadSetup:
            continue
        else:
            names.append(name)
    return names


def _order(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)
