"""The job `make-papers`: drafts and bulletins on time, and those that were missed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.own_process import run

if TYPE_CHECKING:
    from appliance.cases.office import Office


def make_papers(office: Office) -> dict[str, Any]:
    """Make what is to be made, in a process of its own.

    Raises:
        Broken: the process failed; its last words are told.
    """
    command = [
        sys.executable, "-m", "appliance.papers.working", str(office.records.home), str(office.records.clock.now()),
    ]  # fmt: skip
    told: dict[str, Any] = msgspec.json.decode(run(command, "生成报表失败", "Making papers failed"))
    return told
