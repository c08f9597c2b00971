"""Devices: what hangs on which port is found, and what is wanted goes into the settings, as `wanmi devices` does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from appliance.settings import load
from provisioning.setup.facts import Facts
from provisioning.setup.importing import retried
from provisioning.setup.step import Standing
from provisioning.setup.talk import Talk

NONE = "-"


class Devices:
    """One device a time."""

    def standing(self, facts: Facts) -> Standing:
        devices = facts.settings.devices if facts.settings else []
        named = " ".join(f"{device.name}({device.driver})" for device in devices)
        return Standing(bool(devices), named or "没有", named or "none")

    def run(self, home: Path, talk: Talk) -> None:
        found = [] if talk.alone else self._probed(talk)
        retried(talk, lambda: self._add(home, talk, found))

    def _probed(self, talk: Talk) -> list[Any]:
        """Every port and what answered; nothing is changed at any device."""
        from devices.ports.names import ports
        from devices.ports.probing import probe_port

        known = ports()
        talk.tell(f"查看 {len(known)} 个串口,每个约 10 秒", "looking at the ports, about ten seconds each")
        found = [probe_port(port.path) for port in known]
        talk.rows(
            "串口 ports",
            [(number, each.port, each.driver or "-", each.zh) for number, each in enumerate(found, 1)],
        )
        if not found:
            talk.tell("没有发现串口;可输入路径,或 - 返回", "no serial port was found; type a path, or - to go back")
        return found

    def _add(self, home: Path, talk: Talk, found: list[Any]) -> bool:
        from devices.commands.configuring import add

        port = talk.ask("port", None if talk.alone else ("1" if found else NONE))
        if port == NONE:
            return True
        chosen = found[int(port) - 1] if port.isdigit() and 0 < int(port) <= len(found) else None
        if talk.alone and talk.ask("name") in [device.name for device in load(home).devices]:  # the same answers again
            talk.tell(f"已有设备 {talk.ask('name')}", "is there already")
            return True
        driver = talk.ask("driver", chosen.driver if chosen else None)
        name = talk.ask("name", None if talk.alone else f"{driver}{len(load(home).devices) + 1}")
        assert add.callback is not None
        add.callback(
            name=name, driver=driver, port=chosen.port if chosen else port, baud=None, options=talk.pairs("options"),
            no_try=not talk.yes("try"), udev=False, home=home, as_json=False,
        )  # fmt: skip
        return True
