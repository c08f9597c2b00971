"""Which fake devices there are, by the key of their driver."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from devices.errors import BadSetup
from devices.fakes.fake import Fake, Moods

FAKES = {
    "alpha": "devices.fakes.alpha:FakeAlpha",
    "am03127": "devices.fakes.am03127:FakeAm03127",
    "modem": "devices.fakes.modem:FakeModem",
    "nmea": "devices.fakes.gnss:FakeGnss",
    "novastar": "devices.fakes.novastar:FakeNovaStar",
    "onbon": "devices.fakes.onbon:FakeOnbon",
    "raw": "devices.fakes.raw:FakeRaw",
}
"""Module and class; loaded when it is asked for."""


def make_fake(key: str, moods: Moods | None = None, options: Mapping[str, Any] | None = None) -> Fake:
    """A fake device.

    Raises:
        BadSetup: there is none of this key.
    """
    place = FAKES.get(key)
    if place is None:
        raise BadSetup(
            f"没有模拟设备 {key};可用: {'、'.join(FAKES)}。", f"No fake device {key}; known: {', '.join(FAKES)}."
        )
    module, _, name = place.partition(":")
    found = getattr(import_module(module), name)(moods, options)
    assert isinstance(found, Fake)
    return found
