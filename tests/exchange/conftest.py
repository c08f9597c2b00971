"""A county at work, and an empty replica of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.records.store import Records, create_database
from tests import homes
from tests.cases.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A county at work."""
    opened = Desk(homes.copy_home(tmp_path / "county"))
    yield opened
    opened.close()


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Records]:
    """Where a platform above keeps its copy."""
    home = tmp_path / "replica"
    home.mkdir()
    create_database(home, homes.settle(home, {"county": homes.COUNTY}))
    records = Records.open(home)
    yield records
    records.close()
