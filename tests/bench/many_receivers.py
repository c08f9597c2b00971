"""`python -m tests.bench.many_receivers DIR COUNT`: fake receivers behind links in a folder, until SIGTERM."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from devices.fakes.gnss import FakeGnss
from devices.fakes.host import Host


def main() -> None:
    """Run them."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    hosts = [
        Host(
            FakeGnss(options={"lat": 34.105 + number / 1000, "speed": 3 + number}), folder / f"car{number}", paced=False
        )
        for number in range(count)
    ]
    ending.wait()
    for host in hosts:
        host.close()


if __name__ == "__main__":
    main()
