"""Loops that run in threads beside something else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Protocol


class Loop(Protocol):
    """`run` returns soon after `end` was called from another thread."""

    def run(self) -> None: ...

    def end(self) -> None: ...


@contextmanager
def beside(*loops: Loop) -> Iterator[None]:
    """Run loops in threads of their own while the block lasts; all are told to end before one is waited for."""
    threads = [Thread(target=loop.run, name=f"wanmi-{type(loop).__name__}") for loop in loops]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for loop in loops:
            loop.end()
        for thread in threads:
            thread.join()
