"""What the routes share: the open office, the sessions, the reading threads, the watcher of the feed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

from litestar import Request, Response
from sqlalchemy import Connection

from appliance.cases.office import Office
from appliance.equipment.board import Board
from appliance.patrols.on_map import WalkedGrids
from appliance.patrols.tracks import Tracks
from appliance.people.actor import Actor
from appliance.people.sessions import Sessions
from appliance.records.engine import READERS
from server.examination import Examination
from server.patrol_count import PatrolCount
from server.rates import Rates
from server.score_count import ScoreCount
from server.watcher import Watcher

T = TypeVar("T")
JSON = "application/json"
CURSOR_AT_MOST = 2**62
"""No key and no number of the feed is larger; what is larger does not fit into the database."""


class Node:
    """The running node; one for each application."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.sessions = Sessions(office.records)
        self.watcher = Watcher(office.records)
        self.tracks = Tracks(office.records.home, office.settings.zone)
        self.equipment = Board()
        self.examination = Examination(office.records.home)
        self.patrol_count = PatrolCount(office)
        self.score_count = ScoreCount(office)
        self.walked_grids = WalkedGrids()
        self.findings: dict[str, tuple[int, list[dict[str, Any]]]] = {}
        self.basic_tokens: dict[bytes, str] = {}
        self.public_rate = Rates(office.settings.http.public_requests_per_minute, 60.0)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="wanmi-read")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a reading function on a pooled connection in a reading thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._reading, work)

    async def thread(self, work: Callable[[], T]) -> T:
        """Run something slow that is no reading of records (a password, a file) in a thread."""
        return await asyncio.to_thread(work)

    def close(self) -> None:
        """End the threads and close the tracks and the office."""
        self.tracks.close()
        self._threads.shutdown(wait=True)
        self.office.close()

    def _reading(self, work: Callable[[Connection], T]) -> T:
        with self.office.records.read() as connection:
            self.office.refresh(connection)
            return work(connection)


def node_of(request: Request[Any, Any, Any]) -> Node:
    """The node behind a request."""
    return cast("Node", request.app.state.node)


def actor_of_request(request: Request[Any, Any, Any]) -> Actor:
    """Who asks; the sign-in middleware has put it there."""
    return cast("Actor", request.scope["user"])


def json_bytes(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """A response of JSON that is encoded already."""
    return Response(body, status_code=status, media_type=JSON, headers=headers)
