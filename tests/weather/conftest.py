"""Machines, a prefecture and counties on them; skipped, with the reason, where this machine cannot have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgis
from tests.weather import network
from tests.weather.counties import City, County, until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without namespaces or PostgreSQL there is no weather."""
    lacking = network.lacking() or postgis.lacking()
    for item in items:
        if lacking is not None and "weather" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason=lacking))


@pytest.fixture
def town() -> Iterator[network.Town]:
    with network.Town() as built:
        yield built


@pytest.fixture
def city(town: network.Town, tmp_path: Path) -> Iterator[City]:
    """A prefecture that serves."""
    made = City(town.machine("city"), tmp_path / "city")
    try:
        made.serving.start()
        until(made.serving.is_open, "the prefecture serves")
        yield made
    finally:
        made.close()


@pytest.fixture
def county(town: network.Town, city: City, tmp_path: Path) -> Iterator[County]:
    """One county that is joined and pulled."""
    made = County(town.machine("yuzhou"), tmp_path / "county", "411081")
    try:
        made.enter(city)
        yield made
    finally:
        made.close()
