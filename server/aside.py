"""A command in a process of its own beside the node, awaited without holding its event loop or its threads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from appliance.own_process import answer


async def run_aside(command: Sequence[str], zh: str, en: str) -> bytes:
    """The standard output of a command.

    Args:
        zh, en: what failed, for the refusal.

    Raises:
        WanmiError: what its work refused. Broken: it failed otherwise; its last words are told.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        told, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return answer(process.returncode, told, said, zh, en)
