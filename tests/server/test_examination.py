"""The doctor behind its route: who asks while it runs waits for the same findings, and its process never stays."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from server.examination import Examination


def children() -> set[str]:
    """The processes that this one has started and that still run."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split())


def test_one_examination_is_for_all_who_ask_meanwhile(home: Path) -> None:
    async def story() -> None:
        examination = Examination(home)
        first, second, gone = (asyncio.create_task(examination.findings()) for _ in range(3))
        await asyncio.sleep(0)
        gone.cancel()
        assert await first is await second, "one process told both"
        assert gone.cancelled(), "who goes away ends it for nobody"

    asyncio.run(story())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the processes are listed by Linux only")
def test_a_cancelled_examination_leaves_no_process_and_is_not_told_as_too_slow(home: Path) -> None:
    async def story() -> None:
        before = children()
        asked = asyncio.create_task(Examination(home).findings())
        async with asyncio.timeout(20):
            while not children() - before:
                await asyncio.sleep(0)
        (running,) = (task for task in asyncio.all_tasks() if task.get_name() == "doctor")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert children() <= before

    asyncio.run(story())
