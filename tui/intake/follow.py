"""What can be done with a case in the same breath as registering it: merged, sent to be verified, filed, answered.

The case is registered first and never lost; a step that is refused afterwards is told with its number.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from appliance.cases.workflow import workflow
from tui.client import NodeClient, Refused

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Follow:
    """Steps after the registration: action and body each, one after the other."""

    steps: tuple[tuple[str, Record], ...] = ()


REGISTER = Follow()
VERIFY = Follow((("ask_verify", {}),))


def merge_into(number: str) -> Follow:
    """Merge the new case into an open one."""
    return Follow((("merge", {"into": number}),))


def file_at_once(reason: str) -> Follow:
    """Accept and file; a public case needs a reason to be accepted without verification."""
    return Follow((("accept", {"reason": reason} if reason else {}), ("file", {})))


def answered(note: str) -> Follow:
    """A question that was answered while the caller was there."""
    return Follow((("answer", {"note": note}),))


def may_all(roles: frozenset[str], *actions: str) -> bool:
    """Whether somebody with these roles may take all these actions."""
    return all(not roles.isdisjoint(workflow().actions[action].roles) for action in actions)


async def carry_out(client: NodeClient, record: Record, follow: Follow) -> tuple[Record, str]:
    """Take the steps; the case as it is in the end, and the sentence of the step that was refused, if one was.

    Raises:
        NodeAway, SignedOut: as the client does; the case is registered all the same.
    """
    post: Callable[..., Awaitable[Record]] = client.post
    for action, body in follow.steps:
        try:
            record = await post(f"/api/v1/cases/{record['number']}/actions/{action}", body, version=record["version"])
        except Refused as error:
            if error.status == 401:
                raise
            return record, error.detail
    return record, ""
