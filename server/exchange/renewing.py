"""Renews the certificates that end soon, by the technician's own command in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import structlog

from appliance.exchange.links import Enrolment, joined
from appliance.exchange.settings import OFFLINE, Exchange, Link

FIRST_SECONDS, AGAIN_SECONDS = 60.0, 6 * 3600.0
DAYS = 60
"""A platform that is away for weeks still finds us with a certificate."""


class Renewing:
    """Looks a minute after the start and then every six hours."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._next = monotonic() + FIRST_SECONDS
        self._task: asyncio.Task[None] | None = None

    def look(self, settings: Exchange) -> None:
        """Begin a renewal if one is due; returns at once."""
        if monotonic() < self._next:
            return
        self._next = monotonic() + AGAIN_SECONDS
        soon = datetime.now(UTC) + timedelta(days=DAYS)
        links = joined(self._home, settings, _cannot_read)
        if any(_ends_before(soon, link, enrolment) for link, enrolment in links if link.url != OFFLINE):
            self._task = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance", "link", "renew", "--days", str(DAYS), "--home", str(self._home),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, said = await process.communicate()
        log = structlog.get_logger("wanmi")
        if process.returncode:
            log.error("renewal", code=process.returncode, said=said.decode(errors="replace")[-500:])
        else:
            log.info("renewal")


def _ends_before(soon: datetime, link: Link, enrolment: Enrolment) -> bool:
    try:
        return enrolment.certificate_end() < soon
    except (OSError, ValueError) as error:  # one that was replaced just now, or is none
        _cannot_read(link, error)
        return False


def _cannot_read(link: Link, error: Exception) -> None:
    structlog.get_logger("wanmi").error("renewal", link=link.url, error=str(error))
