"""The disk of the box is full, and has room again; the kernel turns it read-only, and back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.doctor import examine
from tests import homes
from tests.cases.test_proof import photo, saved
from tests.faults.conftest import is_refused, report, rows
from tests.faults.disks import Breaking, disk, full, needs_disks
from tests.nodes import RunningNode

pytestmark = [needs_disks, pytest.mark.sqlite("PostgreSQL stands on a disk of its own")]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with disk(tmp_path / "disk", 60) as folder:
        yield folder


@pytest.fixture
def node(small: Path) -> Iterator[RunningNode]:
    running = RunningNode(homes.copy_home(small / "home")).start()
    running.client("s1")
    running.client("z1")
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


def fits(node: RunningNode) -> int:
    """How many cases still find room in what the database's files have of the disk; they are answered, and kept."""
    for count in range(500):
        if report(node).status_code != 201:
            return count
    raise AssertionError("the disk is not full")


def test_a_full_disk_refuses_what_it_cannot_keep_and_forgets_nothing(node: RunningNode, small: Path) -> None:
    number = report(node).json()["number"]
    with full(small):
        kept = fits(node)
        refused = [report(node) for _ in range(5)]
        assert {is_refused(answer, "busy", 503) for answer in refused} == {True}
        upload = {"file": ("a.jpg", saved(photo(1)), "image/jpeg")}
        evidence = node.client("s1").post("/api/v1/evidence", files=upload, data={"stage": "report"})
        assert is_refused(evidence, "busy", 503)
        assert node.client("z1").get(f"/api/v1/cases/{number}").status_code == 200, "looking goes on"
        assert node.client("z1").get("/health").status_code == 200
        found = {each.check: each.result for each in examine(node.home)}
        assert found["home.space"] == "failed"
    again = report(node)
    assert again.status_code == 201, "no start was needed"
    assert rows(node.home, "SELECT count(*) FROM cases") == 2 + kept, "what was refused is not there"
    assert not list((node.home / "evidence").glob("upload-*")), "and no torn file either"
    assert rows(node.home, "SELECT count(*) = max(seq) - min(seq) + 1 FROM change") == 1


@pytest.fixture
def breaking(tmp_path: Path) -> Iterator[Breaking]:
    made = Breaking(tmp_path / "breaking", 60)
    yield made
    made.end()


@pytest.fixture
def breaking_node(breaking: Breaking) -> Iterator[RunningNode]:
    running = RunningNode(homes.copy_home(breaking.folder / "home"))
    os.sync()  # the home was made long ago
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


def test_a_disk_that_turns_read_only_is_told_and_nothing_answered_is_lost(
    breaking: Breaking, breaking_node: RunningNode
) -> None:
    node = breaking_node.start()
    number = report(node).json()["number"]
    node.client("z1")
    breaking.break_()
    assert is_refused(report(node), "busy", 503)
    assert node.client("z1").get(f"/api/v1/cases/{number}").status_code == 200, "looking goes on"
    found = {each.check: each for each in examine(node.home)}
    assert found["home.space"].result == "failed"
    assert "read-only" in found["home.space"].en
    node.stop()
    with pytest.raises(AssertionError) as refused:
        node.start()
    assert "read-only" in str(refused.value).lower()
    assert "Traceback" not in str(refused.value)
    breaking.mend()
    node.start()
    assert node.client("z1").get(f"/api/v1/cases/{number}").status_code == 200
    assert report(node).status_code == 201
    assert node.stop() == 0
    assert rows(node.home, "SELECT count(*) FROM cases") == 2
