"""Where the seeds are: `../shared` beside the repository, present on the machines that build the house."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


def shared(relative: str) -> Path:
    """The path of a seed file; the test is skipped, and says so, when the seeds are not beside the repository."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"seed ../shared/{relative} is not beside the repository")
    return path
