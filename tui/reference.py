"""What the console looks up again and again: code book, departments, staff, sources, actions by state, conditions.

Fetched when first asked for and kept for the session. Methods raise what `NodeClient` raises.
"""

from __future__ import annotations

from typing import Any

from appliance.codes.book import CodeBook
from appliance.codes.values import CodeClass
from appliance.i18n.labels import Labels
from appliance.i18n.phrases import phrases_for
from tui.client import NodeClient
from tui.fields import Choice


class Reference:
    """The lists of one session."""

    def __init__(self, client: NodeClient) -> None:
        self.client = client
        self.book = CodeBook.national()
        self.edition = "2026"
        self.node_name = ""
        self.departments: dict[str, str] = {}
        self.phrases: tuple[tuple[str, str], ...] = ()
        self._kept: dict[tuple[str, ...], Any] = {}

    async def load(self) -> None:
        """What every screen needs: the node's name and edition, the departments."""
        health = await self.client.get("/health")
        self.node_name = health.get("name") or health.get("county", "")
        edition = health.get("edition")
        if edition is None:
            some = await self.client.items("/api/v1/codes", q="0", limit=1)
            edition = some[0]["edition"] if some else self.edition
        self.edition = str(edition)
        rows = await self.client.items("/api/v1/departments")
        self.departments = {row["code"]: row["name"] for row in rows}
        own = await self.client.get("/api/v1/codes/own")
        self.phrases = tuple((row["initials"], row["text"]) for row in own["phrases"])
        if own["classes"]:
            self.book = CodeBook.national().with_classes(CodeClass(**row) for row in own["classes"])

    def code_class(self, kind: str, code: str) -> CodeClass | None:
        """A class of the county's edition."""
        keys = self.book.classes
        return next((keys[key] for key in keys if key == (self.edition, kind, code)), None)

    def phrase_choices(self, labels: Labels) -> tuple[Choice, ...]:
        """Ready phrases for a description: the county's own, then those of the house."""
        found = (*self.phrases, *phrases_for("description", "", labels.language))
        return tuple(Choice(text, text, letters) for letters, text in found)

    async def staff(self, role: str) -> list[dict[str, Any]]:
        """Active accounts with a role."""
        return await self._items("/api/v1/staff", role=role)

    async def sources(self) -> list[dict[str, Any]]:
        """The case sources."""
        return await self._items("/api/v1/sources")

    async def limits(self, kind: str, code: str) -> list[dict[str, Any]]:
        """Conditions and limits of a class."""
        key = ("limits", kind, code)
        if key not in self._kept:
            self._kept[key] = (await self.client.get(f"/api/v1/codes/{kind}/{code}"))["limits"]
        limits: list[dict[str, Any]] = self._kept[key]
        return limits

    def department_text(self, code: str | None) -> str:
        """The name of a department."""
        return self.departments.get(code or "", code or "")

    def department_choices(self) -> tuple[Choice, ...]:
        """All departments, for a pick list."""
        return tuple(Choice(code, f"{name} {code}") for code, name in self.departments.items())

    def class_choices(self, typed: str) -> list[Choice]:
        """Classes for a code, a Chinese or English name or pinyin initials, best first; value `kind:code`."""
        return [
            Choice(f"{item.kind}:{item.code}", f"{item.name} {item.code} {item.class_name}", item.initials)
            for item in self.book.search(typed, self.edition, limit=20)
        ]

    def class_text(self, record: dict[str, Any], labels: Labels) -> str:
        """The name of a case's class; in English where the book has one."""
        if labels.language == "zh":
            return str(record["name"])
        found = self.book.classes.get((record["edition"], record["kind"], record["code"]))
        return found.english if found and found.english else str(record["name"])

    async def _items(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        key = (path, *parameters.values())
        if key not in self._kept:
            self._kept[key] = await self.client.items(path, **parameters)
        items: list[dict[str, Any]] = self._kept[key]
        return items


def condition_choices(limits: list[dict[str, Any]]) -> tuple[Choice, ...]:
    """The conditions of a class with their limits; the value is the row counted from 1."""
    return tuple(
        Choice(str(row), f"{row} {item['condition_to_open'] or '-'} ({_amount(item)})")
        for row, item in enumerate(limits, 1)
    )


def _amount(limit: dict[str, Any]) -> str:
    return "--" if limit["value"] is None else f"{limit['value']:g} {limit['unit']}"
