"""Commands to devices: handed in, answered once, lapsed when nobody came for them, kept as a ledger."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.equipment import commands
from appliance.equipment.commands import LIFE, NAME_AT_MOST, TEXT_AT_MOST, WAITING_AT_MOST
from appliance.errors import Conflict, Invalid, NotFound
from tests.cases.desk import Desk

SECOND = 1_000_000


def command(desk: Desk, device: str = "wall", action: str = "brightness", value: str | None = "60") -> dict[str, Any]:
    """The shift leader hands one in."""
    actor = desk.who("z1")
    return desk.office.records.write(lambda unit: commands.command(unit, actor, device, action, value))


def answer(desk: Desk, key: int, ok: bool = True, **told: Any) -> dict[str, Any]:
    """The agent answers."""
    return desk.office.records.write(
        lambda unit: commands.answer(unit, key, ok=ok, told=told, zh="" if ok else "不行", en="" if ok else "no")
    )


def waiting(desk: Desk) -> list[int]:
    """What an agent is given."""
    with desk.office.records.read() as connection:
        return [item["id"] for item in commands.waiting_commands(connection, desk.clock.now())]


def clock_ticks(desk: Desk) -> int:
    """What a second of the clock does; returns how many commands lapsed."""
    with desk.office.records.read() as connection:
        if not commands.some_lapsed(connection, desk.clock.now()):
            return 0
    return desk.office.records.write(commands.lapse)


def test_a_command_waits_is_done_and_stands_in_the_ledger_with_its_person(desk: Desk) -> None:
    told = command(desk)
    assert (told["ok"], told["answered_at"], told["name"], told["value"]) == (None, None, "值班长一", "60")
    assert waiting(desk) == [told["id"]]
    desk.clock.advance(seconds=2)
    done = answer(desk, told["id"], facts={"brightness": 60})
    assert (done["ok"], done["answer"]) == (True, {"facts": {"brightness": 60}})
    assert done["answered_at"] > done["at"]
    assert waiting(desk) == []


def test_the_first_answer_counts(desk: Desk) -> None:
    key = command(desk)["id"]
    answer(desk, key, ok=False)
    again = answer(desk, key, facts={"late": True})
    assert (again["ok"], again["answer"], again["en"]) == (False, {}, "no")
    with pytest.raises(NotFound, match="no device command 4711"):
        answer(desk, 4711)


def test_what_nobody_came_for_lapses_by_the_clock_alone(desk: Desk) -> None:
    """Nobody hands in another command; the ledger says all the same that no agent runs."""
    key = command(desk)["id"]
    desk.clock.set(desk.clock.now() + LIFE)
    assert (clock_ticks(desk), waiting(desk)) == (0, [key])
    desk.clock.set(desk.clock.now() + SECOND)
    assert waiting(desk) == []
    assert (clock_ticks(desk), clock_ticks(desk)) == (1, 0)
    with desk.office.records.read() as connection:
        lapsed = commands.find_command(connection, key)
    assert (lapsed["ok"], lapsed["answer"], lapsed["en"]) == (False, None, commands.NOBODY_EN)
    assert answer(desk, key)["ok"] is False, "an answer after that comes too late"


def test_too_many_waiting_are_refused_until_they_lapse(desk: Desk) -> None:
    for _ in range(WAITING_AT_MOST):
        command(desk)
    with pytest.raises(Conflict, match="Too many commands wait"):
        command(desk)
    answer(desk, waiting(desk)[0])
    command(desk)
    with pytest.raises(Conflict):
        command(desk)
    desk.clock.set(desk.clock.now() + LIFE + SECOND)
    assert command(desk)["ok"] is None
    assert len(waiting(desk)) == 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"device": ""}, "device has 1 to 40 characters"),
        ({"device": "x" * (NAME_AT_MOST + 1)}, "device has 1 to 40"),
        ({"action": ""}, "action has 1 to 40"),
        ({"value": "字" * (TEXT_AT_MOST + 1)}, "value has 0 to 2000"),
    ],
)
def test_what_is_too_long_or_empty_is_refused(desk: Desk, values: dict[str, str], sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        command(desk, **values)
    assert waiting(desk) == []
    assert command(desk, value="字" * TEXT_AT_MOST)["value"] == "字" * TEXT_AT_MOST


def test_the_ledger_comes_in_pages_newest_first(desk: Desk) -> None:
    made = [command(desk, value=str(value))["id"] for value in range(5)]
    with desk.office.records.read() as connection:
        first = commands.commands_page(connection, before=2**62, limit=3)
        second = commands.commands_page(connection, before=first[-1]["id"], limit=3)
    assert [item["id"] for item in [*first, *second]] == made[::-1]
