"""The demo's hall: simulated devices on pseudo-terminals, and the agent that owns them, beside the demo's node.

A patrol car with a receiver, the video wall's sending box, a text strip and a modem. Their ports are links in the home,
`run/ports/NAME`, so that the settings stay good from one opening to the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from appliance.people.agent_key import ensure_agent_key
from appliance.settings import load
from devices.configuration import add_device, checked
from devices.fakes.fake import Fake
from devices.fakes.gnss import FakeGnss
from devices.fakes.host import Host
from devices.fakes.modem import FakeModem
from devices.fakes.novastar import FakeNovaStar
from devices.fakes.onbon import FakeOnbon
from provisioning.demo.ground import town_communities
from provisioning.demo.running import running_command

STRIP_OPTIONS = {"width": 256}
SETTINGS = {
    "light": {"enabled": True, "sun": True, "longitude": 113.47, "latitude": 34.15},
    "strip": {"enabled": True, "seconds": 2.0},
    "messages": {"channels": ["sms"]},
}
"""Blocks of the demo county's `wanmi.toml`."""


@contextmanager
def hall(home: Path, url: str) -> Iterator[dict[str, Fake]]:
    """Plug the devices in, run the agent, and give the devices to be looked at."""
    fakes: dict[str, Fake] = {
        "car": FakeGnss(options=_start()), "wall": FakeNovaStar(), "strip": FakeOnbon(options=STRIP_OPTIONS),
        "phone": FakeModem(),
    }  # fmt: skip
    ports = home / "run" / "ports"
    ports.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as plugged:
        for name, fake in fakes.items():
            plugged.enter_context(Host(fake, ports / name))
        _configure(home, ports, fakes)
        ensure_agent_key(home)
        with running_command("devices", "agent", "--home", str(home), "--node", url):
            yield fakes


def _start() -> dict[str, float]:
    """The car drives in the first community of the town."""
    box = town_communities()[0].box
    assert box is not None
    return {"lat": (box.south + box.north) / 2, "lon": (box.west + box.east) / 2, "speed": 8.0}


def _configure(home: Path, ports: Path, fakes: dict[str, Fake]) -> None:
    known = {device.name for device in load(home).devices}
    options = {"strip": STRIP_OPTIONS, "phone": {"seat": "shouli1"}, "car": {"who": "巡查车1"}}
    for name, fake in fakes.items():
        if name not in known:
            port = str((ports / name).absolute())
            values = {"name": name, "driver": fake.key, "port": port, "baud": fake.rate}
            add_device(home, checked({**values, "options": options.get(name, {})}))
