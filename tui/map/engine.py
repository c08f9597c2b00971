"""What a map shows, fetched from the node: places are kept by scale with a margin, what moves comes anew.

A map asks for a view; the answer carries that view, and a map that has moved on since throws it away. Methods raise
what `NodeClient` raises.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from tui.client import NodeClient
from tui.map.layers import PLACES, Content
from tui.map.viewport import Viewport

Record = dict[str, Any]
MARGIN = 0.3
"""Of the view's size, fetched on each side so that a small step needs no call."""
KEPT = 24
COLUMNS_AT_MOST, ROWS_AT_MOST = 500, 300


class MapEngine:
    """The map's memory; one for each map."""

    def __init__(self, client: NodeClient) -> None:
        self._client = client
        self._places: OrderedDict[tuple[float, str], tuple[tuple[float, float, float, float], Record]] = OrderedDict()

    async def whole(self) -> tuple[float, float, float, float]:
        """The box of the whole county."""
        found = await self._client.get("/api/v1/map/extent")
        west, south, east, north = found["bbox"]
        return west, south, east, north

    async def content(
        self,
        view: Viewport,
        hidden: frozenset[str],
        theme: str = "",
        *,
        positions: bool = True,
        patrols: bool = False,
        campaigns: bool = False,
    ) -> Content:
        """All visible layers of a view; positions, patrols and campaigns for those who may see them."""
        calls = [self._places_of(view, hidden, theme)]
        calls.append(self._cases_of(view, theme) if "cases" not in hidden else _nothing())
        calls.append(self._positions_of(view) if positions and "positions" not in hidden else _nothing())
        calls.append(self._patrols_of(view) if patrols and "patrols" not in hidden else _nothing())
        calls.append(self._campaigns_of(view) if campaigns and "campaigns" not in hidden else _nothing())
        places, cases, found, walked, targets = await asyncio.gather(*calls)
        return Content(places, cases, found.get("items", []), walked, targets)

    def forget(self) -> None:
        """Throw away the places that are kept."""
        self._places.clear()

    def _cases_of(self, view: Viewport, theme: str) -> Any:
        columns, rows = _cells(view)
        return self._client.get("/api/v1/map/cases", bbox=view.box_text, columns=columns, rows=rows, theme=theme)

    def _positions_of(self, view: Viewport) -> Any:
        return self._client.get("/api/v1/positions", bbox=view.box_text)

    def _patrols_of(self, view: Viewport) -> Any:
        columns, rows = _cells(view)
        return self._client.get("/api/v1/map/patrols", bbox=view.box_text, columns=columns, rows=rows)

    def _campaigns_of(self, view: Viewport) -> Any:
        return self._client.get("/api/v1/map/campaigns", bbox=view.box_text)

    async def _places_of(self, view: Viewport, hidden: frozenset[str], theme: str) -> Record:
        layers = ",".join(name for name in PLACES if name not in hidden)
        if not layers and not theme:
            return {}
        key = (view.metres, f"{layers}|{theme}")
        kept = self._places.get(key)
        if kept is not None and view.inside(kept[0]):
            self._places.move_to_end(key)
            return kept[1]
        wider = view.grown(MARGIN)
        columns, rows = _cells(wider)
        found: Record = await self._client.get(
            "/api/v1/map/places", bbox=wider.box_text, metres=round(view.metres, 4), columns=columns, rows=rows,
            layers=layers or "areas", theme=theme,
        )  # fmt: skip
        west, south, east, north = found["bbox"]
        self._places[key] = ((west, south, east, north), found)
        while len(self._places) > KEPT:
            self._places.popitem(last=False)
        return found


def _cells(view: Viewport) -> tuple[int, int]:
    return min(max(view.wide // 2, 1), COLUMNS_AT_MOST), min(max(view.high // 4, 1), ROWS_AT_MOST)


async def _nothing() -> Record:
    return {}
