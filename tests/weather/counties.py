"""Counties and a prefecture, each on a machine of its own, that can be killed at any moment."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import text

from appliance.exchange.reading import feed_state
from appliance.records.store import Records
from server.prefecture.replicas import Replica, opened_replica, state_in
from server.prefecture.settings import Prefecture, save
from server.prefecture.store import Platform, make_platform
from server.prefecture.views import live
from tests import homes, postgis
from tests.cases.desk import Desk
from tests.exchange.replicas import lines_of
from tests.exchange.work import live_a_little
from tests.weather.network import Machine

PATIENCE = 90.0
PORT, CITY_PORT = 8412, 8443


def until(look: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Look until something is so."""
    ends = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends, f"never: {what}"
        time.sleep(0.1)  # between two looks at other machines
    return found


class Process:
    """A `wanmi` process on a machine."""

    def __init__(self, machine: Machine, *arguments: str, port: int) -> None:
        self.machine, self.arguments, self.port = machine, arguments, port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, if it does not run."""
        if self._process is None or self._process.poll() is not None:
            command = self.machine.inside(sys.executable, "-m", "appliance", *self.arguments)
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_open(self) -> bool:
        """Whether its port is open on its machine."""
        listening = self.machine.run("cat", "/proc/net/tcp").splitlines()[1:]
        return any(line.split()[1].endswith(f":{self.port:04X}") and line.split()[3] == "0A" for line in listening)

    def kill(self) -> None:
        """End it on the spot, as a power cut does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(15)
            self.kill()


class County:
    """A county: its home, its node on a machine, and an office that works in fast time."""

    def __init__(self, machine: Machine, home: Path, code: str, start: str = "2026-10-01 08:00") -> None:
        self.machine, self.home, self.code = machine, homes.copy_home(home), code
        settings = self.home / "wanmi.toml"
        settings.write_text(settings.read_text().replace(homes.COUNTY, code).replace("禹州市", f"县{code}"))
        self.desk = Desk(self.home, start)
        name = {"name": f"feed-of-{code}"}
        self.records.write(lambda unit: unit.connection.execute(text("UPDATE feed SET name = :name"), name))
        self.node = Process(machine, "serve", "--home", str(self.home), "--port", "8411", port=8411)

    @property
    def records(self) -> Records:
        return self.desk.office.records

    @property
    def address(self) -> str:
        return f"https://{self.machine.address}:{PORT}"

    def enter(self, city: City) -> None:
        """Run, and join the prefecture as its technician does."""
        self.node.start()
        until(self.node.is_open, "the node runs")
        token = json.loads(city.wanmi("token", self.code, "--json"))["token"]
        self.machine.run(
            sys.executable, "-m", "appliance", "join", city.url, "--ca", str(city.home / "keys" / "ca.crt"), "--token",
            token, "--listen", f"{self.machine.address}:{PORT}", "--address", self.address, "--home", str(self.home),
        )  # fmt: skip

    def live(self, chance: random.Random, steps: int) -> None:
        """Some work of the office."""
        live_a_little(self.desk, chance, steps)

    def close(self) -> None:
        """End the node and the office."""
        self.node.stop()
        self.desk.close()


class City:
    """The prefecture on its machine."""

    def __init__(self, machine: Machine, home: Path, disk: str = "") -> None:
        self.machine, self.home = machine, home
        self.database = postgis.cluster().create(more=disk)
        self.url = f"https://{machine.address}:{CITY_PORT}/city"
        settings = Prefecture(
            name="许昌市", url=self.url, database_url=postgis.cluster().url(self.database),
            listen=f"{machine.address}:{CITY_PORT}", interval=1, longest_pause=2, patience=5,
        )  # fmt: skip
        make_platform(home, settings)
        save(home, settings)
        self.serving = Process(machine, "prefecture", "serve", "--home", str(home), port=CITY_PORT)

    def words(self, *arguments: str) -> list[str]:
        """The words of `wanmi prefecture …`."""
        return [sys.executable, "-m", "appliance", "prefecture", *arguments, "--home", str(self.home)]

    def wanmi(self, *arguments: str, code: int = 0) -> str:
        """`wanmi prefecture …` on the platform's machine."""
        return self.machine.run(*self.words(*arguments), code=code)

    def log(self) -> list[str]:
        """What it wrote into its log."""
        files = (self.home / "log").glob("*.log")
        return [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]

    def has_all_of(self, county: County) -> bool:
        """Whether the replica has come as far as the county."""
        with county.records.read() as connection:
            state = feed_state(connection)
        platform = Platform.open(self.home)
        try:
            with platform.begin() as connection:
                at = state_in(connection, live(county.code))
        finally:
            platform.close()
        return at is not None and at.whole and (at.feed, at.cursor) == (state.name, state.last)

    def lines_of(self, county: County) -> dict[str, list[tuple[str, bytes]]]:
        """Every record of the replica, by type, in the order of the keys."""
        with self._replica(county) as replica, replica.engine.connect() as connection:
            return lines_of(connection)

    @contextmanager
    def _replica(self, county: County) -> Iterator[Replica]:
        platform = Platform.open(self.home)
        try:
            with opened_replica(platform, live(county.code)) as replica:
                yield replica
        finally:
            platform.close()

    def close(self) -> None:
        """End it and forget its database."""
        self.serving.stop()
        postgis.cluster().drop(self.database)
