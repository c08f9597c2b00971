"""Declared jobs, run by name. Each is an entry point `wanmi.jobs` → `module:function(office) -> dict`."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import entry_points
from typing import Any

import msgspec
from litestar import Controller, Request, get, post

from appliance.errors import FieldError, NotFound
from server import examples
from server.node import node_of
from server.sign_in import require


class JobRun(msgspec.Struct):
    """One run of a job."""

    name: str
    started_at: datetime
    ended_at: datetime
    result: dict[str, Any]


class JobController(Controller):
    """Jobs."""

    path = "/api/v1/jobs"
    tags = ["jobs"]
    guards = [require("admin", "technician", "shift_leader")]

    @get(operation_id="jobs", responses=examples.refusals(401, 403))
    async def names(self) -> dict[str, list[str]]:
        """The names of the jobs there are."""
        return {"items": sorted(_jobs())}

    @post("/{name:str}", operation_id="run_job", responses=examples.refusals(401, 403, 404))
    async def run(self, request: Request[Any, Any, Any], name: str) -> JobRun:
        """Run a job now and answer with what it did."""
        node = node_of(request)
        jobs = _jobs()
        if name not in jobs:
            known = tuple(sorted(jobs))
            raise NotFound(
                f"没有任务 {name};可用: {'、'.join(known)}。",
                f"There is no job {name}; known: {', '.join(known)}.",
                fields=(FieldError("name", "没有这个任务", "no such job", known),),
            )
        work = jobs[name].load()
        started = datetime.now(UTC)
        result = await node.thread(lambda: work(node.office))
        return JobRun(name, started, datetime.now(UTC), result)


def _jobs() -> dict[str, Any]:
    return {entry.name: entry for entry in entry_points(group="wanmi.jobs")}
