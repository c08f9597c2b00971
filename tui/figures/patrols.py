"""The patrols in figures: rounds of today, share of unit grids passed, alarms, the duty grids that are worst. Pure."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from appliance.i18n.labels import Labels
from tui.cells import fit

Record = dict[str, Any]
NAME_CELLS = 26
NUMBER_CELLS = 8
DUTY_GRID_CELLS, COLLECTOR_CELLS = 20, 12


def patrols_text(patrols: Record, labels: Labels) -> Text:
    """The lines of the patrols."""
    text = Text("\n", no_wrap=True)
    done, now = patrols["rounds_done"], patrols["rounds_due_now"]
    style = "bold red" if patrols["behind"] else "bold"
    _line(text, labels("figure.patrol_rounds"), str(done), style)
    text.append(f"  {labels('figure.patrol_rounds_of', now=now, day=patrols['rounds_due'])}\n", "dim")
    counted = patrols["counted_at"] is not None and patrols["share"] is not None
    _line(text, labels("figure.patrol_share"), f"{patrols['share']:.1%}" if counted else "-", "bold")
    told = f"{patrols['passed']}/{patrols['grids']}" if counted else labels("figure.patrol_not_counted")
    text.append(f"  {told}\n", "dim")
    for kind in ("behind", "silent", "camera"):
        number = patrols["alarms"][kind]
        _line(text, labels(f"figure.patrol_{kind}"), str(number), "bold red" if number else "")
        text.append("\n")
    for worst in patrols["worst"]:
        text.append(f"  {fit(worst['name'], DUTY_GRID_CELLS)} {fit(worst['collector_name'] or '-', COLLECTOR_CELLS)}")
        text.append(f" {worst['rounds_done']}/{worst['rounds_due_now']} {worst['share']:.0%}\n", "red")
    return text


def _line(text: Text, name: str, number: str, style: str) -> None:
    text.append(fit(name, NAME_CELLS)).append(f"{number:>{NUMBER_CELLS}}", style)
