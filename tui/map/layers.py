"""The layers of the map: their keys, styles, and what of them is on a picture. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]
LAYERS = ("areas", "grids", "duty_grids", "parts", "cases", "positions", "names", "patrols", "campaigns")
"""In the order of their keys, from 1 on."""
PLACES = ("areas", "grids", "duty_grids", "parts")
"""Layers that come in one answer and stay."""
STYLES = {
    "areas": "cyan", "grids": "blue", "duty_grids": "magenta", "parts": "bright_black", "positions": "bold cyan",
    "theme": "bold yellow", "names": "dim", "patrols": "bold", "campaigns": "bold",
}  # fmt: skip
SEES_POSITIONS = frozenset(
    ("acceptor", "shift_leader", "dispatcher", "leader", "assessor", "admin", "technician")
)  # fmt: skip
SEES_PATROLS = frozenset(("shift_leader", "dispatcher", "leader", "assessor", "admin", "technician"))
HIDDEN_AT_FIRST = frozenset(("patrols", "campaigns"))
"""Layers that are on when somebody wants them."""
PATROL_SIGNS = (("-", "bold red"), ("~", "yellow"), ("=", "green"))
"""Sign and style of a unit grid that was not passed, passed, passed as planned."""
CAMERA_SIGNS = {True: ("V", "bold red"), False: ("v", "green")}
"""Sign and style of a camera that is due, and of one that is not."""
TARGET_SIGNS = {False: ("o", "bold yellow"), True: ("x", "green")}
"""Sign and style of a campaign's target that is still to do, and of one that is done."""
OLD_SECONDS = 600
"""A collector not heard of for so long is drawn dim."""


@dataclass(slots=True)
class Content:
    """What the node told of a piece of the county: answers of the map routes, positions, patrols, campaigns."""

    places: Record = field(default_factory=dict)
    cases: Record = field(default_factory=dict)
    positions: list[Record] = field(default_factory=list)
    patrols: Record = field(default_factory=dict)
    campaigns: Record = field(default_factory=dict)

    def features(self, layer: str) -> list[Record]:
        """The GeoJSON features of a layer of places."""
        return list((self.places.get(layer) or {}).get("features") or ())

    @property
    def spots(self) -> list[Record]:
        """The cases one by one, from west to east; empty where there are too many."""
        return sorted(self.cases.get("items", ()), key=lambda case: (case["lon"], case["lat"], case["number"]))

    @property
    def theme(self) -> Record:
        """The thematic layer on the map; empty when there is none."""
        found: Record = self.places.get("theme") or {}
        return found

    def count(self, layer: str) -> int:
        """How many things of a layer are in view."""
        if layer == "cases":
            return int(self.cases.get("number", 0))
        if layer == "positions":
            return len(self.positions)
        if layer == "parts":
            return int((self.places.get("parts") or {}).get("number", 0))
        if layer == "patrols":
            return int(self.patrols.get("number", 0)) + len(self.patrols.get("cameras", ()))
        if layer == "campaigns":
            return int(self.campaigns.get("number", 0))
        if layer == "theme":
            return len(self.theme.get("grids", ())) + len(self.theme.get("parts", ()))
        return len(self.features(layer))
