"""What all tests share."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups import gently
from provisioning.import_files import native
from tests import homes, postgis
from tests.nodes import RunningNode
from tests.started import fork_from_now_on

native.load()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=("spatialite", "postgis"), default="spatialite", help="where the records of homes stand"
    )

    parser.addoption("--long", action="store_true", help="also what takes minutes (marked `long`)")


def pytest_configure(config: pytest.Config) -> None:
    homes.database = config.getoption("--database")
    fork_from_now_on()


HEAVY = frozenset(
    (
        "test_two_databases.py", "test_boston.py", "test_cambridge.py", "test_whole_shift.py", "test_backups.py",
        "test_running.py", "test_up.py", "test_walk.py", "test_house.py", "test_install.py", "test_kills.py",
        "test_role_matrix.py", "test_schemathesis.py", "test_oversight.py", "test_mishaps.py", "test_personal.py",
    )
)  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is long, what is about the other database, and all of PostGIS where there is no PostgreSQL.

    The heaviest files begin first, so that no worker is left with one of them at the end.
    """
    items.sort(key=lambda item: item.path.name not in HEAVY)
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long") is not None:
                item.add_marker(pytest.mark.skip(reason="takes minutes; runs with --long"))
    lacking = postgis.lacking() if homes.database == "postgis" else None
    other, name = ("sqlite", "SQLite") if homes.database == "postgis" else ("postgis", "PostGIS")
    for item in items:
        about_other = item.get_closest_marker(other)
        if lacking is not None:
            item.add_marker(pytest.mark.skip(reason=lacking))
        elif about_other is not None:
            item.add_marker(pytest.mark.skip(reason=f"about {name}: {about_other.args[0]}"))


def pytest_collection_finish() -> None:
    """What stands now stays; walking it again at every full collection would make tests wait."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _template_home_is_removed() -> Iterator[None]:
    yield
    if homes.template.cache_info().currsize:
        shutil.rmtree(homes.template(), ignore_errors=True)
    postgis.end()


@pytest.fixture(scope="session", autouse=True)
def _backups_do_not_wait_for_other_tests() -> None:
    """Those of this process; the weight they have in an office is the matter of `tests/backups/test_gently.py`."""
    gently.NICE = 0


@pytest.fixture(autouse=True)
def _databases_of_a_test_go_with_it() -> Iterator[None]:
    """What fixtures of a module made before stays until the end of the run."""
    before = homes.made()
    yield
    homes.drop_databases(before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A furnished home of its own for this test."""
    return homes.copy_home(tmp_path / "home")


@pytest.fixture
def node(home: Path) -> Iterator[RunningNode]:
    """A real node over a furnished home, for one test."""
    running = RunningNode(home).start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A real node that the tests of a module share; each makes its own cases."""
    running = RunningNode(homes.copy_home(tmp_path_factory.mktemp("node") / "home")).start()
    try:
        yield running
    finally:
        running.stop()
