"""The worked example of docs/drivers.md is a driver that works."""

from __future__ import annotations

import re

import pytest

from devices.errors import BadValue, DeviceRefused
from devices.fakes.fake import Fake
from devices.fakes.host import Host
from devices.ports.line import SerialLine
from tests.shared import ROOT


class FakeLamp(Fake):
    """Answers lines of text as the example says."""

    key = "lamp"
    on = True

    def receive(self, data: bytes) -> bytes:
        words = data.decode().split()
        if words[0] != "1":
            return b"NO\n"
        if words[1] != "?":
            self.on = words[1] == "off"
        return b"OK on\n" if self.on else b"OK off\n"


def test_the_lamp_of_the_docs_is_switched_and_refuses() -> None:
    page = (ROOT / "docs" / "drivers.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", page, re.S)[0]
    found: dict[str, object] = {"__name__": "their_lamp"}
    exec(compile(code, "docs/drivers.md", "exec"), found)  # noqa: S102  # the page's own code
    lamp = found["Lamp"]
    with Host(FakeLamp(), paced=False) as cable, SerialLine.open(cable.path, 9600) as line:
        driver = lamp()  # type: ignore[operator]
        assert driver.probe(line) == {"state": "on"}
        assert driver.do(line, "blank", "on") == {"blank": True}
        assert driver.poll(line) == {"state": "off"}
        with pytest.raises(BadValue):
            driver.do(line, "blank", "half")
        with pytest.raises(DeviceRefused, match="refused"):
            lamp({"number": 2}).do(line, "blank", "on")  # type: ignore[operator]
        assert lamp({"number": 2}).probe(line) is None  # type: ignore[operator]
