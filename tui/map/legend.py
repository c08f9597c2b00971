"""The lines under a map: the selected case, what is at the cross, and a legend of what can be seen. Pure."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from appliance.i18n.labels import Labels
from tui.map.drawing import COLLECTOR_SIGN, age_text, sign_of
from tui.map.layers import CAMERA_SIGNS, LAYERS, PATROL_SIGNS, STYLES, TARGET_SIGNS, Content
from tui.map.viewport import Viewport
from tui.reference import Reference
from tui.show import LIGHT_STYLE, light_text, short_number, state_text

Record = dict[str, Any]
NEAR_SHOWN = 3


def case_line(record: Record, labels: Labels, reference: Reference) -> Text:
    """Number, class, state, light and department of the selected case."""
    light = record.get("light")
    line = Text(" ", no_wrap=True)
    line.append(f"{sign_of(light)} {light_text(light, labels)} ", LIGHT_STYLE.get(light or "", ""))
    facts = [
        short_number(record["number"]), reference.class_text(record, labels), state_text(record["state"], labels),
        reference.department_text(record.get("department")) or "-",
    ]  # fmt: skip
    line.append("  ".join(facts), "bold")
    if record.get("supervised"):
        line.append(f"  {labels('case.supervision')}", "bold underline")
    return line


def legend(view: Viewport, content: Content, hidden: frozenset[str], labels: Labels) -> Text:
    """What can be seen, with the key that hides it; nothing else."""
    line = Text(" ", no_wrap=True)
    line.append_text(lights_text(content.cases.get("lights", {}) if "cases" not in hidden else {}, labels))
    for key, layer in enumerate(LAYERS, 1):
        count = content.count(layer)
        if layer in hidden or not count or layer == "names":
            continue
        if layer == "patrols":
            line.append_text(patrols_text(key, content.patrols, labels))
            continue
        if layer == "campaigns":
            done = content.campaigns["answered"]
            line.append(f"{key} {labels('layer.campaigns')} ", STYLES[layer])
            line.append(f"o {count - done} ", TARGET_SIGNS[False][1]).append(f"x {done}  ", TARGET_SIGNS[True][1])
            continue
        sign = f"{COLLECTOR_SIGN} " if layer == "positions" else ""
        line.append(f"{key} {sign}{labels('layer.' + layer)} {count}  ", STYLES.get(layer, ""))
    if content.theme:
        line.append(f"t {content.theme['name']} {content.count('theme')}  ", STYLES["theme"])
    return line.append(labels("map.scale", metres=f"{view.metres * view.wide:.0f}"), "dim")


def lights_text(lights: dict[str, int], labels: Labels) -> Text:
    """The signs of the cases and how many there are of each; only those that are there."""
    text = Text()
    for light in ("red", "yellow", "green", "none"):
        if lights.get(light):
            name = labels(f"light.{light}")
            text.append(f"{sign_of(light)} {name} {lights[light]}  ", LIGHT_STYLE.get(light, ""))
    return text


def patrols_text(key: int, patrols: Record, labels: Labels) -> Text:
    """The signs of the patrols and how many there are of each; only those that are there."""
    text = Text(f"{key} {labels('layer.patrols')} ", STYLES["patrols"])
    for (sign, style), name in zip(PATROL_SIGNS, ("none", "passed", "planned"), strict=True):
        if number := patrols["levels"].get(name):
            text.append(f"{sign} {labels('patrol.' + name)} {number}  ", style)
    for due, name in ((True, "due"), (False, "seen")):
        if number := sum(camera["due"] is due for camera in patrols["cameras"]):
            sign, style = CAMERA_SIGNS[due]
            text.append(f"{sign} {labels('patrol.' + name)} {number}  ", style)
    return text


def here_lines(found: Record, positions: list[Record], labels: Labels) -> list[str]:
    """What is at the cross: address, grid, community, duty collector with the age of the last position, parts."""
    collector = found.get("collector")
    heard = next((item for item in positions if item["who"] == collector), None)
    who = f"{heard['name']} ({age_text(heard['age'])})" if heard else collector or "-"
    place = " ".join(filter(None, (found.get("street_name"), found.get("community_name"))))
    lines = [
        f"{found['lon']:.6f},{found['lat']:.6f}  {found.get('address') or ''}",
        f"{place}  {labels('case.grid')} {found.get('grid') or '-'}  {labels('case.duty_grid')} "
        f"{found.get('duty_grid') or '-'}  {labels('role.collector')} {who}",
    ]
    near = [f"{part['name']} {part['metres']:g} m {part['code']}" for part in found.get("parts", ())[:NEAR_SHOWN]]
    if near:
        lines.append(f"{labels('layer.parts')}: {'  '.join(near)}")
    return lines
