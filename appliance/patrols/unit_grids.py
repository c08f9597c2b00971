"""All unit grids of the county in memory, to find in bulk in which one many places lie; for the counting process only.

It needs shapely, which must be loaded before SpatiaLite (docs/adr/0001): the node itself never imports this module.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from appliance.patrols.plans import attributes_of
from appliance.patrols.walks import OUTSIDE

_GRIDS = text("SELECT code, duty_grid, ST_AsBinary(geom) AS shape FROM unit_grid WHERE valid_to IS NULL ORDER BY id")
_DUTY_GRIDS = text("SELECT code, collector, attributes FROM duty_grid WHERE valid_to IS NULL ORDER BY code")
_COLLECTORS = text("SELECT account FROM account WHERE ('|' || roles || '|') LIKE '%|collector|%'")


@dataclass(frozen=True, slots=True)
class DutyGrid:
    """A duty grid, who walks it, and its unit grids."""

    code: str
    collector: str | None
    attributes: dict[str, Any] | None
    grids: tuple[str, ...]


class UnitGrids:
    """The valid unit grids.

    Attributes:
        codes: of the grids by their number.
        duty_grids: the duty grids that have unit grids.
        collectors: accounts that walk or walked.
        fingerprint: the same as long as the grids are.
    """

    def __init__(self, connection: Connection) -> None:
        rows = connection.execute(_GRIDS).all()
        shapes = [bytes(row.shape) for row in rows]
        self.codes = [str(row.code) for row in rows]
        self.fingerprint = _fingerprint(self.codes, shapes)
        self._tree = shapely.STRtree(shapely.from_wkb(shapes))
        by_duty: dict[str, list[str]] = {}
        for row in rows:
            if row.duty_grid is not None:
                by_duty.setdefault(row.duty_grid, []).append(row.code)
        self.duty_grids = [
            DutyGrid(row.code, row.collector, attributes_of(row.attributes), tuple(sorted(by_duty[row.code])))
            for row in connection.execute(_DUTY_GRIDS)
            if row.code in by_duty
        ]
        self.collectors = frozenset(connection.execute(_COLLECTORS).scalars())

    def locate(self, lons: NDArray[numpy.float64], lats: NDArray[numpy.float64]) -> NDArray[numpy.int64]:
        """The number of the grid at each place; of two that share the border the older one, as `places.locate` does."""
        found = numpy.full(len(lons), OUTSIDE, dtype=numpy.int64)
        places, grids = self._tree.query(shapely.points(lons, lats), predicate="intersects")
        order = numpy.argsort(-grids, kind="stable")
        found[places[order]] = grids[order]
        return found


def _fingerprint(codes: list[str], shapes: list[bytes]) -> str:
    digest = hashlib.sha256()
    for code, shape in zip(codes, shapes, strict=True):
        digest.update(f"{code} {len(shape)} ".encode())
        digest.update(shape)
    return digest.hexdigest()
