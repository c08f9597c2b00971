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
        BadSetup: there is none.
    """
    if key not in FAKES:
        raise BadSetup(
            f"没有模拟设备 {key};可用: {'、'.join(FAKES)}。",
            f"There is no simulated device {key}; known: {', '.join(FAKES)}.",
        )
    module, name = FAKES[key].split(":")
    made: Fake = getattr(import_module(module), name)(moods, options)
    return made
