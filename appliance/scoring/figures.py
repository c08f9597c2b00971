"""How a figure is shown, and which facts it is made of."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from appliance.errors import FieldError, Invalid
from appliance.scoring.countable import countables
from appliance.scoring.formula import Value
from appliance.scoring.pack import Indicator, Pack

NONE = "—"
_CENT = Decimal("0.01")


def rounded(value: float) -> str:
    """Two decimals, half up; only for show (indicator_definitions 1)."""
    return str(Decimal(repr(value)).quantize(_CENT, ROUND_HALF_UP))


def shown(indicator: Indicator, value: Value) -> str:
    """A value as people read it: counts as they are, rates as per cent, points with two decimals, nothing as —."""
    if value is None:
        return NONE
    if indicator.unit == "rate":
        return f"{rounded(value * 100)}%"
    return str(value) if isinstance(value, int) else rounded(value)


def facts_of(pack: Pack, scope: str, code: str) -> list[str]:
    """The facts that an indicator is made of, through the indicators it is made of; a fact is made of itself.

    Raises:
        Invalid: there is no such indicator or fact.
    """
    own, known = pack.indicators.get(scope, {}), countables().get(scope, {})
    if code not in own:
        if code in known:
            return [code]
        names = (*own, *known)
        raise Invalid(
            f"{scope} 没有指标 {code[:40]};可用 {'、'.join(names)}。",
            f"{scope} has no indicator {code[:40]}; known are {', '.join(names)}.",
            fields=(FieldError("code", "未知", "unknown", names),),
        )
    found = dict.fromkeys(own[code].facts)
    for needed in own[code].needs:
        found |= dict.fromkeys(facts_of(pack, scope, needed))
    return list(found)


def indicator_told(each: Indicator) -> dict[str, Any]:
    """An indicator for a machine: names, unit, formula and source."""
    return {
        "scope": each.scope, "code": each.code, "name": each.chinese, "english": each.english, "unit": each.unit,
        "formula": formula(each), "source": each.source,
    }  # fmt: skip


def formula(each: Indicator) -> str:
    """The formula as a line of text."""
    if each.items:
        return " + ".join(
            f"{item.weight:g} {f'(1 - {item.code})' if item.turned else item.code}" for item in each.items
        )
    if each.mean_of:
        return f"mean {' '.join(each.mean_of)}"
    above = _sum(each.numerator)
    if each.bands is not None:
        steps = " ".join(f"{bound}:{points:g}" for bound, points in each.bands.steps)
        return f"{above} → {steps}"
    return f"{above} / {_sum(each.denominator)}" if each.denominator is not None else above


def _sum(terms: Any) -> str:
    written = " ".join(f"{'-' if sign < 0 else '+'} {name}" for sign, name in terms.terms)
    return written.removeprefix("+ ")
