"""Which fake devices there are, by the key of their driver. Loaded when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from devices.errors import BadSetup
from devices.fakes.fake import Fake, Moods

FAKES = {
    "novastar": "devices.fakes.novastar:FakeNovaStar",
    "onbon": "devices.fakes.onbon:FakeOnbon",
    "am03127": "devices.fakes.am03127:FakeAm03127",
    "alpha": "devices.fakes.alpha:FakeAlpha",
    "raw": "devices.fakes.raw:FakeRaw",
    "nmea": "devices.fakes.gnss:FakeGnss",
    "modem": "devices.fakes.modem:FakeModem",
}


def make_fake(key: str, moods: Moods | None = None, options: Mapping[str, Any] | None = None) -> Fake:
    """The fake device of a driver.

    Raises:
        BadSetup: there is none, or an option of it is wrong.
    """
    if key not in FAKES:
        raise BadSetup(
            f"没有模拟设备 {key};可用: {'、'.join(FAKES)}。",
            f"There is no simulated device {key}; known: {', '.join(FAKES)}.",
        )
    module, name = FAKES[key].split(":")
    kind: type[Fake] = getattr(import_module(module), name)
    try:
        made = kind(moods, options)
        made.state()
    except (ArithmeticError, LookupError, TypeError, ValueError, OSError) as error:
        raise BadSetup(
            f"模拟设备 {key} 的选项不对: {error}。", f"An option of the simulated {key} is wrong: {error}."
        ) from None
    return made
