"""What hangs on a port? Listen first; then frames that only read, one driver after the other; the first answer counts.

Nothing is ever written to a device that talks: a receiver is left in peace (`gnss.md`, "Finding the speed";
`protocols.md`, section 6).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any

from devices.drivers.interface import Driver, Facts
from devices.drivers.registry import driver_names, make_driver
from devices.errors import DeviceError
from devices.ports.line import SerialLine

ORDER = ("novastar", "onbon", "modem", "am03127", "alpha")
"""The risk of harm grows along it; drivers of third parties come last."""
LISTEN_SECONDS = 2.2
"""A receiver talks once a second."""


@dataclass(slots=True)
class Found:
    """What was found on a port; `driver` is None where nothing that we know answered."""

    port: str
    device: str = ""
    what: str = ""
    driver: str | None = None
    rate: int | None = None
    facts: Facts = field(default_factory=dict)
    heard: int = 0
    tried: list[str] = field(default_factory=list)
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
        for name in _talkers(drivers):
            if _listen(found, name, listen_seconds):
                return found
        if not found.heard:
            for name in _askable(drivers):
                if _ask(found, name):
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


def _talkers(wanted: tuple[str, ...]) -> list[str]:
    return [name for name in _wanted(wanted) if make_driver(name).listens]


def _askable(wanted: tuple[str, ...]) -> list[str]:
    names = [name for name in _wanted(wanted) if not make_driver(name).listens]
    return sorted(names, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def _wanted(wanted: tuple[str, ...]) -> list[str]:
    """Drivers that can be made without options, so that a third party's needs harm no probe."""
    found = []
    for name in wanted or tuple(driver_names()):
        try:
            make_driver(name)
        except DeviceError:
            continue
        found.append(name)
    return found
