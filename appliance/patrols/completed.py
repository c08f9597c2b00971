"""The rounds of a duty grid: which of its unit grids were passed, by whom, and when a round was complete. Pure.

A round begins with the first unit grid that is entered in the working window, at least the plan's hours after the
beginning of the round before and after its end. It is complete when the plan's share of the unit grids was passed,
whoever passed them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from appliance.patrols.plans import Plan


class Passed(msgspec.Struct, frozen=True):
    """A stay of somebody in a unit grid."""

    grid: str
    entered_at: int
    who: str
    left_at: int


class Round(msgspec.Struct):
    """A round: `done_at` is None while the share is not reached; `grids` counts what was passed in it."""

    began_at: int
    done_at: int | None
    grids: int


class WalkedGrid(msgspec.Struct):
    """A unit grid on a day: stays, rounds it was passed in, the last moment; `level` 1 passed, 2 as planned."""

    grid: str
    walks: int
    rounds: int
    level: int
    last_at: int


class Completed(msgspec.Struct):
    """A duty grid on a day.

    Attributes:
        walkers: how many unit grids each passed, the one with the most first.
    """

    rounds: list[Round]
    grids: list[WalkedGrid]
    last_at: int | None
    last_by: str | None
    walkers: list[tuple[str, int]]

    @property
    def done(self) -> int:
        """How many rounds are complete."""
        return sum(one.done_at is not None for one in self.rounds)


def completed(stays: Iterable[Passed], number: int, plan: Plan, window: tuple[int, int]) -> Completed:
    """What became of a duty grid of so many unit grids on a day.

    Args:
        stays: of anybody in its unit grids, in any order.
    """
    ordered = sorted(stays, key=lambda stay: (stay.entered_at, stay.grid, stay.who))
    rounds, in_round = _rounds(ordered, plan.needed(number), plan, window)
    walked: dict[str, WalkedGrid] = {}
    for stay in ordered:
        one = walked.setdefault(stay.grid, WalkedGrid(stay.grid, 0, 0, 1, 0))
        one.walks += 1
        one.last_at = max(one.last_at, stay.left_at)
    for one in walked.values():
        one.rounds = sum(one.grid in grids for grids in in_round)
        one.level = 2 if 0 < plan.rounds <= one.rounds else 1
    counted = Counter(who for who, _ in {(stay.who, stay.grid) for stay in ordered})
    walkers = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    last = max(ordered, key=lambda stay: (stay.left_at, stay.who), default=None)
    grids = sorted(walked.values(), key=lambda one: one.grid)
    if last is None:
        return Completed(rounds, grids, None, None, walkers)
    return Completed(rounds, grids, last.left_at, last.who, walkers)


def _rounds(
    ordered: Sequence[Passed], needed: int, plan: Plan, window: tuple[int, int]
) -> tuple[list[Round], list[set[str]]]:
    """The rounds, and the unit grids that were passed from the beginning of each to that of the next."""
    rounds: list[Round] = []
    in_round: list[set[str]] = []
    for stay in ordered:
        entered = max(stay.entered_at, window[0])
        if stay.left_at < window[0] or entered > window[1]:
            continue
        current = rounds[-1] if rounds else None
        if current is None or (current.done_at is not None and entered >= current.began_at + plan.pause):
            current = Round(entered, None, 0)
            rounds.append(current)
            in_round.append(set())
        in_round[-1].add(stay.grid)
        current.grids = len(in_round[-1])
        if current.done_at is None and current.grids >= needed:
            current.done_at = entered
    return rounds, in_round
