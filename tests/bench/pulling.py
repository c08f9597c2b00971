"""`python -m tests.bench.pulling HOST:PORT CA CERTIFICATE KEY`: the prefecture's machine, pulling until its input ends.

A process of its own, because it stands for another machine; it shares no interpreter with the operators measured.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys
import threading
from time import perf_counter

PAGE = 5_000
NICE = 10


class Puller:
    """A client as lean as it gets, so that the county's side is what is measured."""

    def __init__(self, listen: str, ca: str, certificate: str, key: str) -> None:
        context = ssl.create_default_context(cafile=ca)
        context.load_cert_chain(certificate, key)
        host, port = listen.split(":")
        self._connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=120)

    def changes(self, most: int) -> tuple[int, float]:
        """Pull up to so many changes; how many came, and in how many seconds."""
        after, items, began = 0, 0, perf_counter()
        while items < most:
            self._connection.request(
                "GET", f"/exchange/v1/changes?after={after}&limit={PAGE}", headers={"Accept": "application/x-ndjson"}
            )
            answer = self._connection.getresponse()
            count = answer.read().count(b"\n")
            after = int(answer.headers["Wanmi-Next"])
            items += count
            if count < PAGE:
                break
        return items, perf_counter() - began

    def snapshot(self, type_: str) -> tuple[int, float]:
        """Take a snapshot; how many lines, in how many seconds."""
        began, lines = perf_counter(), 0
        self._connection.request("GET", f"/exchange/v1/snapshot/{type_}")
        answer = self._connection.getresponse()
        while block := answer.read(1 << 20):
            lines += block.count(b"\n")
        return lines, perf_counter() - began


def main() -> None:
    """Pull everything, again and again."""
    os.nice(NICE)
    ending = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ending.set()), daemon=True).start()
    puller = Puller(*sys.argv[1:5])
    puller.changes(PAGE)
    print("pulling", flush=True)
    while not ending.is_set():
        puller.changes(PAGE * 4)


if __name__ == "__main__":
    main()
