"""What each problem `type` means: the addresses that stand in problem details can be opened."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, get

from appliance import errors
from appliance.errors import NotFound, WanmiError
from server import examples
from server.problems import KIND_OF_STATUS, STATUS


class ProblemKind(msgspec.Struct):
    """A kind of problem."""

    type: str
    status: int
    meaning: str


class ProblemKinds(msgspec.Struct):
    """All kinds."""

    items: list[ProblemKind]


class ProblemController(Controller):
    """Problem types."""

    path = "/problems"
    tags = ["node"]
    security: list[dict[str, list[str]]] = [{}]  # the framework's own shape

    @get(operation_id="problem_kinds")
    async def kinds(self) -> ProblemKinds:
        """All kinds of problem details."""
        return ProblemKinds(list(_kinds().values()))

    @get("/{kind:str}", operation_id="problem_kind", responses=examples.refusals(404))
    async def kind(self, request: Request[Any, Any, Any], kind: str) -> ProblemKind:
        """One kind."""
        found = _kinds().get(kind)
        if found is None:
            raise NotFound(f"没有问题类型 {kind}。", f"There is no problem type {kind}.")
        return found


def _kinds() -> dict[str, ProblemKind]:
    meanings = {
        each.kind: (each.__doc__ or "").strip()
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, WanmiError)
    }
    statuses = {kind: status for status, kind in KIND_OF_STATUS.items()} | STATUS
    return {
        kind: ProblemKind(f"/problems/{kind}", status, meanings.get(kind, ""))
        for kind, status in sorted(statuses.items())
    }
