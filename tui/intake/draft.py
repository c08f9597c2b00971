"""A case that is being taken in: the draft, and what the node would make of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from appliance.codes.values import CodeClass
from appliance.i18n.labels import Labels
from tui.reference import Reference
from tui.show import limit_text, short_number, state_text

Record = dict[str, Any]
PART = "部件"
BARE = (PART, "单元网格", "坐标")
"""Types of geocoded places whose name is no address."""


@dataclass(slots=True)
class Draft:
    """What will be posted; `once` makes a second post of the same draft harmless.

    Attributes:
        sent: whether `body` went to the node and no answer came yet.
        phrase: whether the description is a ready phrase, to which class and condition are written.
    """

    once: str
    part: str | None = None
    phrase: bool = False
    sent: bool = False
    body: Record = field(default_factory=dict)

    def fill(
        self, values: dict[str, str], found: CodeClass, place: Record, limit: Record | None, located: Record
    ) -> None:
        """Make the body of POST /api/v1/cases; a description that was not typed is built from class and condition."""
        condition = limit["condition_to_open"] if limit else ""
        built = [found.name, condition] if self.phrase or not values["description"] else []
        body: Record = {
            "source": values["source"],
            "kind": found.kind,
            "code": found.code,
            "description": " ".join(word for word in (*built, values["description"]) if word),
            "lon": place["lon"],
            "lat": place["lat"],
            "address": _address(place, located),
        }
        part = self.part or (place.get("code") if place.get("type") == PART and found.kind == "part" else None)
        reporter = {"name": values["reporter"], "phone": values["phone"]}
        body |= {"part": part} if part else {}
        body |= {"condition": values["condition"]} if values["condition"] else {}
        body |= {"reporter": {key: value for key, value in reporter.items() if value}} if any(reporter.values()) else {}
        self.body = body


def _address(place: Record, located: Record) -> str:
    """The place's own address or name; for bare positions the one proposed by the node."""
    same = (located.get("lon"), located.get("lat")) == (place["lon"], place["lat"])
    proposed = located.get("address") if same else ""
    name = str(place.get("name") or "")
    named = "" if place.get("type") in BARE or name.isascii() else name
    return str(place.get("address") or named or proposed or name)


@dataclass(slots=True)
class Facts:
    """What the node knows about the place and the class so far."""

    located: Record = field(default_factory=dict)
    department: str = ""
    duplicates: list[Record] = field(default_factory=list)
    limits: list[Record] = field(default_factory=list)
    class_code: str = ""
    problem: str = ""

    @property
    def nearest_part(self) -> Record | None:
        """The nearest part of the class, if there is one near."""
        return next((part for part in self.located.get("parts", ()) if part["type"] == self.class_code), None)


def facts_text(facts: Facts, limit: Record | None, labels: Labels, reference: Reference) -> list[str]:
    """The facts as rows of text."""
    rows = [facts.problem] if facts.problem else []
    place = facts.located
    if place:
        where = "  ".join(str(part) for part in (place.get("street_name"), place.get("community_name")) if part)
        rows.append(f"{labels('case.place')} {place.get('address') or where or '-'}")
        rows.append(
            f"{labels('case.grid')} {place['grid'] or '-'}  {where}  {labels('case.duty_grid')} "
            f"{place['duty_grid'] or '-'}  {labels('role.collector')} {place['collector'] or '-'}"
        )
    if facts.department:
        rows.append(f"{labels('case.department')} ({labels('case.suggested')}) {facts.department}")
    if facts.limits:
        rows.append(f"{labels('case.limit')} {limit_text(limit)}  {limit['condition_to_open'] if limit else ''}")
    if nearest := facts.nearest_part:
        rows.append(
            labels("intake.nearest_part", metres=f"{nearest['metres']:.0f}", code=nearest["code"], name=nearest["name"])
        )
    if place:
        listed = "  ".join(
            f"{short_number(item['number'])} {item['metres']:g} m {item['name']} {state_text(item['state'], labels)}"
            for item in facts.duplicates
        )
        rows.append(f"{labels('case.duplicates')} {listed or labels('case.none')}")
    return rows
