"""The doctor in a process of its own: one examination at a time, and everybody who asks meanwhile gets its findings."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from appliance.errors import Broken
from server import answers

PATIENCE = 120.0
"""Seconds after which an examination that does not end is ended."""


class Examination:
    """The doctor of one home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running: asyncio.Task[list[answers.FindingOut]] | None = None

    async def findings(self) -> list[answers.FindingOut]:
        """What the running examination finds, or a new one; who goes away meanwhile ends it for nobody.

        Raises:
            Broken: it took too long or gave no result.
        """
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._examine(), name="doctor")
        return await asyncio.shield(self._running)

    async def _examine(self) -> list[answers.FindingOut]:
        # a process of its own: the checks load libraries that must come before SpatiaLite (docs/adr/0001)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance", "doctor", "--home", str(self._home), "--json",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            out, said = await asyncio.wait_for(process.communicate(), PATIENCE)
        except (TimeoutError, asyncio.CancelledError) as error:
            if process.returncode is None:
                process.kill()
            await process.wait()
            if isinstance(error, asyncio.CancelledError):
                raise
            raise Broken(
                "自检超时,请在本机运行 wanmi doctor。", "The examination took too long; run wanmi doctor."
            ) from None
        try:
            return msgspec.json.decode(out, type=list[answers.FindingOut])
        except msgspec.MsgspecError:
            text = said.decode(errors="replace").strip()[-400:]
            raise Broken(f"自检没有结果: {text}", f"The examination gave no result: {text}") from None
