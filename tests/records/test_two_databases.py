"""The stories that carry the county, told on PostGIS too: a pytest of its own, because a run has one kind of database.

All of them: `python -m pytest --database postgis tests/records tests/codes tests/places tests/cases tests/people
tests/patrols tests/messages tests/equipment tests/exchange tests/scoring tests/analysis tests/assessment`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import postgis

ROOT = Path(__file__).resolve().parents[2]
STORIES = (
    "tests/records/test_postgis.py",  # counties side by side, one writer among processes, a server that goes and comes
    "tests/cases/test_loop.py",  # a case from report to closing
)


@pytest.mark.sqlite("this run is the other one")
def test_the_county_lives_on_postgis_as_it_does_on_spatialite() -> None:
    postgis.require()
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", "--database", "postgis"]
    around = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    told = subprocess.run(
        [*command, *STORIES], cwd=ROOT, env=around, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout[-8000:]
