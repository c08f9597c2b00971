"""Scores in the feed. This version freezes none yet, so the type is there and empty."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from appliance.errors import Invalid
from appliance.exchange.kinds.base import Kind, Page, Record, Sight


class ScoreKind(Kind):
    """Frozen scores of periods."""

    name = "score"
    scope = "reports.read"

    def records(self, connection: Connection, ids: Sequence[str], sight: Sight) -> dict[str, bytes]:
        return {}

    def page(self, connection: Connection, after: str | None, limit: int, sight: Sight) -> Page:
        return Page([], None)

    def put(self, connection: Connection, records: Sequence[Record]) -> None:
        """Refuse what this version does not keep, rather than lose it.

        Raises:
            Invalid: there is one.
        """
        if records:
            raise Invalid(
                "本软件还不保存评分记录;请先升级本平台。",
                "This software keeps no scores yet; upgrade this platform first.",
            )

    def delete(self, connection: Connection, ids: Sequence[str]) -> None:
        return
