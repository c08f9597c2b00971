"""The month's settlement 结算: the collection contractor's fee and the units' performance deposits, by score.

The county's contract stands in `wanmi.toml`; which part of the sum a score earns is a table of bands there. Deductions
are those of spot checks. All in whole cents, rounded half up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import Connection, text

from appliance.scoring.scores import Scored
from appliance.settings import Contract

CONTRACTOR, DEPOSIT = "contractor", "deposit"
_DEDUCTIONS = text(
    "SELECT c.charged_to, sum(c.deduction) AS cents, count(*) AS findings FROM spot_check c "
    "JOIN spot_draw d ON d.id = c.draw WHERE d.period = :period AND c.deduction > 0 GROUP BY c.charged_to"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the sheet; money in cents."""

    kind: str
    subject: str
    name: str
    sum: int
    score: float | None
    share: Decimal
    deduction: int

    @property
    def earned(self) -> int:
        """What the score earns of the sum."""
        return int((Decimal(self.sum) * self.share).quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def paid(self) -> int:
        """What is paid, or given back; never below nothing."""
        return max(0, self.earned - self.deduction)

    def as_dict(self) -> dict[str, Any]:
        """As the sheet tells it; money in yuan."""
        return {
            "kind": self.kind, "subject": self.subject, "name": self.name, "sum": self.sum / 100, "score": self.score,
            "share": float(self.share), "earned": self.earned / 100, "deduction": self.deduction / 100,
            "paid": self.paid / 100,
        }  # fmt: skip


def share_of(bands: Mapping[str, float], score: float | None) -> Decimal:
    """The part of a sum that a score earns: that of the highest bound it reaches; all of it without a score."""
    if score is None or not bands:
        return Decimal(1)
    reached = [Decimal(str(part)) for bound, part in bands.items() if score >= float(bound)]
    return max(reached, default=Decimal(0))


def settlement(
    connection: Connection, period: str, contract: Contract, collectors: Sequence[Scored], units: Sequence[Scored]
) -> list[Line]:
    """The sheet of a month: the contractor by the mean of its collectors' scores, then each unit with a deposit."""
    taken = {row.charged_to: row.cents for row in connection.execute(_DEDUCTIONS, {"period": period})}
    lines = []
    if contract.contractor:
        scores = [each.score for each in collectors if each.score is not None]
        mean = sum(scores) / len(scores) if scores else None
        own = {each.subject for each in collectors}
        deduction = sum(cents for subject, cents in taken.items() if subject in own)
        lines.append(
            Line(CONTRACTOR, "", contract.contractor, round(contract.monthly_fee * 100), mean,
                 share_of(contract.shares, mean), deduction)
        )  # fmt: skip
    for unit in units:
        deposit = contract.deposits.get(unit.subject)
        if deposit is not None:
            lines.append(
                Line(DEPOSIT, unit.subject, unit.name, round(deposit * 100), unit.score,
                     share_of(contract.shares, unit.score), int(taken.get(unit.subject, 0)))
            )  # fmt: skip
    return lines
