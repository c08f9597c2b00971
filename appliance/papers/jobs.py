"""The job `make-papers`: drafts and bulletins on time, and those that were missed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.errors import Broken

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
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip()[-400:]
        raise Broken(f"生成报表失败: {last}", f"Making papers failed: {last}")
    told: dict[str, Any] = msgspec.json.decode(done.stdout)
    return told
