"""A prefecture for tests: a home, a database, commands, and `wanmi prefecture serve` in a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from sqlalchemy import text

from appliance.errors import WanmiError
from server.prefecture.commands import prefecture
from server.prefecture.settings import Prefecture, save
from server.prefecture.store import Platform, make_platform
from tests import postgis
from tests.nodes import free_port
from tests.started import Started, start_wanmi

START_SECONDS = 30.0
EVENT_SECONDS = 20.0


@dataclass
class City:
    """A platform; `start` it to have it serve."""

    home: Path
    database: str
    port: int = field(default_factory=free_port)
    process: Started | subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/city"

    def settings(self, **more: Any) -> Prefecture:
        """Its settings; counties are called every second."""
        return Prefecture(
            name="许昌市", url=self.url, database_url=postgis.cluster().url(self.database),
            listen=f"127.0.0.1:{self.port}", interval=1, longest_pause=2, patience=10, **more,
        )  # fmt: skip

    def make(self, **more: Any) -> City:
        """Make its home and its tables."""
        settings = self.settings(**more)
        make_platform(self.home, settings)
        save(self.home, settings)
        return self

    def open(self, **options: Any) -> Platform:
        """The platform, opened in this process."""
        return Platform.open(self.home, **options)

    def run(self, *arguments: str, code: int = 0) -> str:
        """A command `wanmi prefecture …` in this process; what it wrote, a refusal's sentences too."""
        done = CliRunner().invoke(prefecture, list(arguments), env={"WANMI_PREFECTURE": str(self.home)})
        if isinstance(done.exception, WanmiError):
            assert code == 1, (arguments, done.exception)
            return f"{done.exception.zh} {done.exception.en}"
        assert done.exit_code == code, (arguments, done.exit_code, done.output, done.exc_info)
        return done.stdout or done.output

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What a command prints with `--json`."""
        return json.loads(self.run(*arguments, "--json", code=code))

    def start(self) -> City:
        """Serve, and wait until the port is open."""
        self.process = start_wanmi("prefecture", "serve", "--home", str(self.home))
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            if self.process.poll() is not None:
                assert self.process.stderr is not None
                raise AssertionError(self.process.stderr.read().decode())
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            time.sleep(0.02)  # between two looks at a port that is not open yet
        raise AssertionError(f"the platform did not open its port within {START_SECONDS} s")

    def stop(self) -> None:
        """End it, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.communicate(timeout=20)
        self.process = None

    def sees(self, query: str, **values: Any) -> list[Any]:
        """Rows of the platform's database."""
        platform = self.open()
        try:
            with platform.begin() as connection:
                return list(connection.execute(text(query), values))
        finally:
            platform.close()


def until(happened: Callable[[], Any], seconds: float = EVENT_SECONDS) -> Any:
    """What something gives once it gives anything; the wait for an event in another process."""
    ends = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < ends, f"nothing within {seconds} s"
        time.sleep(0.05)  # between two looks at another process
    return found
