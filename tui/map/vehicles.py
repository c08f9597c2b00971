"""Vehicles on a map: where they were heard of last, and that an answer which is older moves none back. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

Record = dict[str, Any]
Box = tuple[float, float, float, float]


class Vehicles:
    """What the event stream told of vehicles; one for each map."""

    def __init__(self) -> None:
        self._heard: dict[str, Record] = {}
        self._moved: set[str] = set()

    def heard(self, items: list[Record]) -> bool:
        """Note where vehicles are now; True for the first ones since `moved` was asked."""
        first = not self._moved
        for item in items:
            self._heard[item["who"]] = item
            self._moved.add(item["who"])
        return first and bool(items)

    def moved(self) -> list[Record]:
        """The vehicles that were heard of since this was asked last."""
        found = [self._heard[who] for who in sorted(self._moved)]
        self._moved.clear()
        return found

    def newer(self, positions: list[Record], box: Box) -> list[Record]:
        """Positions of an answer, those of vehicles replaced where something newer was heard meanwhile."""
        newer = [
            self._heard[item["who"]]
            for item in positions
            if item["who"] in self._heard and _time(self._heard[item["who"]]) > _time(item)
        ]
        return self.put(positions, newer, box)

    @staticmethod
    def put(positions: list[Record], moved: list[Record], box: Box) -> list[Record]:
        """The positions with these vehicles where they are now; those outside the box are left out."""
        west, south, east, north = box
        found = {item["who"]: item for item in positions}
        for item in moved:
            found.pop(item["who"], None)
            if west <= item["lon"] <= east and south <= item["lat"] <= north:
                found[item["who"]] = item
        return sorted(found.values(), key=lambda item: str(item["who"]))


def _time(item: Record) -> datetime:
    return datetime.fromisoformat(item["at"])
