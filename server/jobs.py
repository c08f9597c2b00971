"""The jobs of the schedule: how they stand, and running one now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Request, get, post

from appliance.clock import moment
from appliance.scheduling.running import run_job
from appliance.scheduling.telling import tell_jobs
from server import examples
from server.node import actor_of_request, node_of
from server.sign_in import require


class JobRun(msgspec.Struct):
    """One run of a job."""

    name: str
    started_at: datetime
    ended_at: datetime
    result: dict[str, Any]


class EarlierRun(msgspec.Struct):
    """How a job went. `ok` is null while it runs; `by` is an account, `technician` or `clock`."""

    name: str
    started_at: datetime
    ended_at: datetime | None
    by: str
    ok: bool | None
    result: dict[str, Any]
    zh: str
    en: str


class JobStanding(msgspec.Struct):
    """A job: when it is to run (`plan` and `next_at` are null where it runs by hand only), and how it went last.

    `failures` counts the runs on end that failed for the same planned moment.
    """

    name: str
    zh: str
    en: str
    plan: str | None
    next_at: datetime | None
    running: bool
    failures: int
    last: EarlierRun | None


class JobList(msgspec.Struct):
    """All jobs."""

    items: list[JobStanding]


class JobController(Controller):
    """Jobs."""

    path = "/api/v1/jobs"
    tags = ["jobs"]
    guards = [require("admin", "technician", "shift_leader")]

    @get(operation_id="jobs", responses=examples.refusals(401, 403))
    async def jobs(self, request: Request[Any, Any, Any]) -> JobList:
        """Every job: its plan, its next run, how the last one went."""
        node = node_of(request)
        records = node.office.records
        told = await node.read(
            lambda connection: tell_jobs(connection, records.home, node.office.settings, records.clock.now())
        )
        return msgspec.convert({"items": told}, JobList)

    @post("/{name:str}", operation_id="run_job", responses=examples.refusals(401, 403, 404, 409))
    async def run(self, request: Request[Any, Any, Any], name: str) -> JobRun:
        """Run a job now and answer with what it did."""
        node, account = node_of(request), actor_of_request(request).account or "technician"
        done = await node.thread(lambda: run_job(node.office, name, account))
        return JobRun(done.name, moment(done.started_at), moment(done.ended_at or done.started_at), done.result)
