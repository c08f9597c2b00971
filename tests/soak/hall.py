"""A hall of devices with bad moods: fakes in this process, the node and the agent in processes of their own."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from math import hypot
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from appliance.people.agent_key import ensure_agent_key
from devices.configuration import add_device, checked
from devices.fakes.fake import Fake, Moods
from devices.fakes.gnss import FakeGnss
from devices.fakes.host import Host
from devices.fakes.modem import FakeModem
from devices.fakes.novastar import FakeNovaStar
from devices.fakes.onbon import FakeOnbon
from tests import homes
from tests.nodes import RunningNode

RECEIVERS = 4
RECOVERED = 8.0
"""Seconds after a mishap from which every fix counts: five of back-off, and what the receiver needs to begin."""
LONGEST_MISHAP, LONG_SILENCE = 8.0, 25.0
"""Now and then one is so long that a silent receiver's port is opened anew."""
PATIENCE = 120.0
GROWN_MEGABYTES, SETTLED_MEGABYTES, GROWN_DESCRIPTORS = 6.0, 1.0, 8
NEAR = 1e-6


class LoggedGnss(FakeGnss):
    """Remembers what it told and when."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(None, options)
        self.told: list[tuple[float, int]] = []

    def _second(self) -> bytes:
        said = super()._second()
        self.told.append((monotonic(), self.seconds))
        return said


@dataclass(frozen=True, slots=True)
class Size:
    """What the agent holds."""

    megabytes: float
    descriptors: int
    threads: int

    def __str__(self) -> str:
        return f"{self.megabytes:.1f} MB, {self.descriptors} descriptors, {self.threads} threads"


class Hall:
    """Everything; use it as a context."""

    def __init__(self, scratch: Path, seed: int) -> None:
        self.mishaps: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._home = homes.copy_home(scratch / "home")
        self._ports = scratch / "ports"
        self._ports.mkdir()
        self._bad: dict[str, list[tuple[float, float]]] = {}
        self._fakes: dict[str, Fake] = {
            f"car{number}": LoggedGnss({"lat": 34.10 + number / 100, "lon": 113.40, "speed": 3.7 + number})
            for number in range(RECEIVERS)
        }
        self._fakes |= {"wall": FakeNovaStar(), "strip": FakeOnbon(), "phone": FakeModem()}
        self._hosts = {
            name: Host(fake, self._ports / name, seed=number) for number, (name, fake) in enumerate(self._fakes.items())
        }

    def __enter__(self) -> Hall:
        for name, fake in self._fakes.items():
            values = {"name": name, "driver": fake.key, "port": str(self._ports / name), "baud": fake.rate}
            add_device(self._home, checked(values))
        with (self._home / "wanmi.toml").open("a", encoding="utf-8") as file:
            file.write('\n[agent]\npoll_seconds = 5\n[strip]\nenabled = true\ntext = "{open} {time}"\n')
        ensure_agent_key(self._home)
        self._node = RunningNode(self._home).start()
        command = [
            sys.executable, "-m", "appliance", "devices", "agent", "--home", str(self._home), "--node", self._node.url,
        ]  # fmt: skip
        self._agent = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self._day = str(self._node.client("z1").get("/api/v1/tracks/car0").json()["day"])
        return self

    def __exit__(self, *_: object) -> None:
        self._agent.send_signal(signal.SIGTERM)
        self._agent.wait(20)
        self._node.stop()
        for host in self._hosts.values():
            host.close()

    def size(self) -> Size:
        """What the agent holds now."""
        process = Path(f"/proc/{self._agent.pid}")
        pages = int((process / "statm").read_text().split()[1])
        threads = len(list((process / "task").iterdir()))
        return Size(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(list((process / "fd").iterdir())), threads)

    def mishap(self) -> None:
        """Something happens to some device for some seconds, and is over; the others go on meanwhile."""
        name = self._chance.choice(list(self._hosts))
        kind = self._chance.choice(("unplugged", "noisy", "slow", "silent", "busy", "refusing"))
        self.mishaps[kind] += 1
        longest = LONG_SILENCE if self._chance.random() < 0.05 else LONGEST_MISHAP
        began, length = monotonic(), self._chance.uniform(0.3, longest)
        host, moods = self._hosts[name], self._fakes[name].moods
        if kind == "unplugged":
            host.unplug()
        else:
            moods.noisy = 0.03 if kind == "noisy" else 0.0
            moods.slow = 1.5 if kind == "slow" else 0.0
            moods.busy = 3 if kind == "busy" else 0
            moods.silent, moods.refusing = kind == "silent", kind == "refusing"
        self._order()
        sleep(length)
        self._fakes[name].moods = Moods()
        host.plug_in()
        self._bad.setdefault(name, []).append((began, monotonic() + RECOVERED))
        sleep(self._chance.uniform(0.0, 2.0))

    def calm(self) -> None:
        """No more mishaps."""
        for name, host in self._hosts.items():
            self._fakes[name].moods = Moods()
            host.plug_in()

    def wait_until_well(self) -> None:
        """Until the node sees every device well."""
        ends = monotonic() + PATIENCE
        while True:
            items = self._node.client("z1").get("/api/v1/devices").json()["items"]
            unwell = [(item["name"], item["state"]) for item in items if not (item["well"] and item["heard"])]
            if len(items) == len(self._hosts) and not unwell:
                return
            assert monotonic() < ends, f"not well again: {unwell}"
            sleep(0.5)

    def no_fix_is_lost(self) -> bool:
        """Every fix that a healthy receiver told is in its track."""
        good = True
        for name, fake in self._fakes.items():
            if isinstance(fake, LoggedGnss):
                track = self._track(name)
                wanted = [second for at, second in fake.told[8:-4] if self._healthy(name, at)]
                lost = [second for second in wanted if not _is_in(fake.place(second), track)]
                print(
                    f"{name}: {len(wanted)} fixes of healthy seconds, {len(lost)} lost {lost[:5]}; {len(track)} in all"
                )
                good = good and not lost and len(wanted) > 10
        return good

    def has_not_grown(self, sizes: list[Size]) -> bool:
        """The agent holds about what it held at the beginning, and in the last third it stayed as it was."""
        first, settled, last = sizes[0], sizes[len(sizes) * 2 // 3], self.size()
        print(f"at the beginning {first}; after two thirds {settled}; at the end {last}")
        return (
            last.megabytes <= first.megabytes + GROWN_MEGABYTES
            and last.megabytes <= settled.megabytes + SETTLED_MEGABYTES
            and last.descriptors <= first.descriptors + GROWN_DESCRIPTORS
            and last.threads <= first.threads + GROWN_DESCRIPTORS
        )

    def obeys(self) -> bool:
        """The wall does what it is told."""
        key = self._order(71)
        ends = monotonic() + PATIENCE
        while (told := self._node.client("z1").get(f"/api/v1/devices/commands/{key}").json())["ok"] is None:
            assert monotonic() < ends, "the wall does not answer"
            sleep(0.2)
        print(f"brightness 71: {told['ok']} {told['en']}")
        return bool(told["ok"])

    def _order(self, percent: int | None = None) -> int:
        value = str(self._chance.randrange(101) if percent is None else percent)
        body = {"action": "brightness", "value": value}
        answer = self._node.client("z1").post("/api/v1/devices/wall/commands", json=body)
        assert answer.status_code == 202, f"{answer.status_code}: {answer.text}"
        return int(answer.json()["id"])

    def _healthy(self, name: str, at: float) -> bool:
        return not any(began - 2.0 <= at <= ended for began, ended in self._bad.get(name, ()))

    def _track(self, name: str) -> list[tuple[float, float]]:
        """All positions of a device, of both days where midnight passed meanwhile."""
        client, found = self._node.client("z1"), []
        today = str(client.get(f"/api/v1/tracks/{name}").json()["day"])
        for day in sorted({self._day, today}):
            after = "-1"
            while after is not None:
                told = client.get(f"/api/v1/tracks/{name}", params={"day": day, "after": after}).json()
                found += [(item["lat"], item["lon"]) for item in told["items"]]
                after = told["next"]
        return found


def _is_in(place: tuple[float, float], track: list[tuple[float, float]]) -> bool:
    return any(hypot(place[0] - other[0], place[1] - other[1]) < NEAR for other in track)
