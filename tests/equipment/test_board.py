"""How devices stand: each agent's last word, and that a silent agent's devices are not taken for well."""

from __future__ import annotations

from typing import Any

from appliance.equipment.board import SILENT, Board

NOW = 1_790_000_000_000_000


def told(*names: str) -> dict[str, Any]:
    return {"devices": [{"name": name} for name in names], "positions": {"sent": len(names)}}


def test_the_last_word_of_each_agent() -> None:
    board = Board()
    board.report("depot", told("bus"), NOW)
    board.report("agent", told("wall", "car"), NOW)
    board.report("agent", told("wall"), NOW + 1)
    assert [(item["agent"], item["name"]) for item in board.devices(NOW)] == [("agent", "wall"), ("depot", "bus")]
    assert [(item["agent"], item["positions"]["sent"]) for item in board.agents(NOW)] == [("agent", 1), ("depot", 1)]


def test_an_agent_that_fell_silent_is_told_as_such_until_it_is_heard_again() -> None:
    board = Board()
    board.report("agent", told("wall"), NOW)
    assert board.devices(NOW + SILENT - 1)[0]["heard"] is True
    silent = board.devices(NOW + SILENT)[0]
    assert (silent["heard"], silent["told_at"], board.agents(NOW + SILENT)[0]["heard"]) == (False, NOW, False)
    board.report("agent", told("wall"), NOW + SILENT)
    assert board.devices(NOW + SILENT)[0]["heard"] is True
