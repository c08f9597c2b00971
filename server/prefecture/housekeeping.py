"""What a platform that runs for years does now and then: its own certificates in time, old lines of the pull log."""

from __future__ import annotations

import ssl
from threading import Event

import structlog
from sqlalchemy import delete

from appliance.clock import DAY
from server.prefecture.rounds import without_values
from server.prefecture.store import Platform
from server.prefecture.tables import PULL_LOG

EVERY_SECONDS = 3600.0
LOG_DAYS = 400
"""The pull log tells of a year, and of the month in which it is looked at."""


class Housekeeping:
    """The loop, in whatever thread calls `run`; `end` ends it from another one.

    Args:
        tls: of the platform's port; a new certificate counts there for every new connection.
    """

    def __init__(self, platform: Platform, tls: ssl.SSLContext) -> None:
        self._platform, self._tls = platform, tls
        self._ending = Event()

    def run(self) -> None:
        """Look every hour until `end` is called."""
        while not self._ending.wait(EVERY_SECONDS):
            try:
                self.look()
            except Exception as error:  # the database is away, the disk is full; the next look tries again
                structlog.get_logger("wanmi").error("housekeeping", error=without_values(error))

    def end(self) -> None:
        """End the loop soon."""
        self._ending.set()

    def look(self) -> None:
        """Do what is due."""
        keys, now = self._platform.keys, self._platform.clock.now()
        if keys.renew(self._platform.settings.host):
            self._tls.load_cert_chain(*keys.server)
        with self._platform.begin() as connection:
            connection.execute(delete(PULL_LOG).where(PULL_LOG.c.at < now - LOG_DAYS * DAY))
