"""A prefecture with a database of its own, and a county at work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.prefecture.store import Platform
from tests import homes, postgis
from tests.cases.desk import Desk
from tests.prefecture.city import City


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without PostgreSQL there is no prefecture."""
    lacking = postgis.lacking()
    for item in items:
        if lacking is not None and "prefecture" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason=lacking))


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """A prefecture for one test; it serves only when told to."""
    database = postgis.cluster().create()
    made = City(tmp_path / "city", database).make()
    yield made
    made.stop()
    postgis.cluster().drop(database)


@pytest.fixture
def platform(city: City) -> Iterator[Platform]:
    """The prefecture, opened in this process."""
    opened = city.open()
    yield opened
    opened.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A county at work."""
    opened = Desk(homes.copy_home(tmp_path / "county"))
    yield opened
    opened.close()
