"""The plug is pulled again and again while the office works: nothing answered is lost, nothing is there twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.doctor import examine
from tests.cases.desk import place
from tests.chaos.killing import Killing

ROUNDS, NIGHTLY = 20, 1000

pytestmark = pytest.mark.sqlite("PostgreSQL keeps what it said it keeps")


def live_through(home: Path, rounds: int) -> None:
    where = place()
    result = Killing(home, (where["lon"], where["lat"]), seed=11).run(rounds)
    assert result.holds, (result.lost[:5], result.doubled[:5], result.gaps)
    assert result.rounds == rounds
    assert result.answered > rounds * 5, "it was killed under load"
    told = {found.check: found.result for found in examine(home)}
    assert {told[check] for check in ("database.integrity", "feed.gapless", "audit.acts", "database.spatial")} == {
        "passed"
    }


def test_the_plug_is_pulled_twenty_times(home: Path) -> None:
    live_through(home, ROUNDS)


@pytest.mark.long
def test_the_plug_is_pulled_a_thousand_times(home: Path) -> None:
    live_through(home, NIGHTLY)
