"""The month's settlement 结算: the collection contractor's fee and the units' performance deposits, by score.

The county's contract stands in `wanmi.toml`; which part of the sum a score earns is a table of bands there. Deductions
are those of spot checks. All in whole cents, rounded half up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from appliance.assessment.deductions import Charged
from appliance.scoring.scores import Scored
from appliance.settings import Contract

CONTRACTOR, DEPOSIT, CHARGED = "contractor", "deposit", "charged"
"""Kinds of lines; `charged` is somebody without a fee or deposit who has deductions."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the sheet; money in cents. Without a score nothing is worked out: somebody has to decide."""

    kind: str
    subject: str
    name: str
    sum: int
    score: float | None
    share: Decimal | None
    deduction: int

    @property
    def earned(self) -> int | None:
        """What the score earns of the sum; None without a score."""
        if self.share is None:
            return None
        return int((Decimal(self.sum) * self.share).quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def paid(self) -> int | None:
        """What is paid, or given back; never below nothing, None without a score."""
        return None if self.earned is None else max(0, self.earned - self.deduction)

    def as_dict(self) -> dict[str, Any]:
        """As the sheet tells it; money in yuan."""
        earned, paid = self.earned, self.paid
        return {
            "kind": self.kind, "subject": self.subject, "name": self.name, "sum": self.sum / 100, "score": self.score,
            "share": None if self.share is None else float(self.share),
            "earned": None if earned is None else earned / 100,
            "deduction": self.deduction / 100, "paid": None if paid is None else paid / 100,
        }  # fmt: skip


def share_of(bands: Mapping[str, float], score: float | None) -> Decimal | None:
    """The part of a sum that a score earns: that of the highest bound it reaches; None without a score."""
    if score is None:
        return None
    if not bands:
        return Decimal(1)
    reached = [Decimal(str(part)) for bound, part in bands.items() if score >= float(bound)]
    return max(reached, default=Decimal(0))


def settlement(
    contract: Contract, charged: Sequence[Charged], collectors: Sequence[Scored], units: Sequence[Scored]
) -> list[Line]:
    """The sheet of a month: the contractor by the mean of its collectors' scores, then each unit with a deposit.

    Whoever is charged and has no line of these has one of its own, so that no deduction is lost.
    """
    left = {each.subject: each for each in charged}
    lines = []
    if contract.contractor:
        scores = [each.score for each in collectors if each.score is not None]
        mean = sum(scores) / len(scores) if scores else None
        own = [each.subject for each in charged if each.collects]
        deduction = sum(left.pop(subject).cents for subject in own)
        lines.append(
            Line(CONTRACTOR, "", contract.contractor, round(contract.monthly_fee * 100), mean,
                 share_of(contract.shares, mean), deduction)
        )  # fmt: skip
    scored = {each.subject: each for each in units}
    for subject, deposit in contract.deposits.items():
        unit, taken = scored.get(subject), left.pop(subject, None)
        score, name = (unit.score, unit.name) if unit else (None, taken.name if taken else subject)
        lines.append(
            Line(DEPOSIT, subject, name, round(deposit * 100), score, share_of(contract.shares, score),
                 taken.cents if taken else 0)
        )  # fmt: skip
    lines += [Line(CHARGED, each.subject, each.name, 0, None, None, each.cents) for each in left.values()]
    return lines
