"""Collectors: who walks which duty grid, and who is sent to a place.

Verification goes to the collector of the duty grid. A check is drawn from the collectors of the street, so that neither
the department nor the reporter can foresee who comes; who looked at the department's last case is not drawn again at
once, so that the task goes round.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection

from sqlalchemy import Connection, text

_ACTIVE = "active AND ('|' || roles || '|') LIKE '%|collector|%'"
_MAY = text("SELECT 1 FROM account WHERE account = :account AND active AND ('|' || roles || '|') LIKE :role")
_OF_GRID = text(
    f"SELECT d.collector FROM duty_grid d JOIN account a ON a.account = d.collector "  # noqa: S608  # our own text
    f"WHERE d.code = :duty_grid AND d.valid_to IS NULL AND {_ACTIVE}"
)
_OF_STREET = text(
    "SELECT DISTINCT d.collector FROM unit_grid g JOIN duty_grid d ON d.code = g.duty_grid "  # noqa: S608
    f"JOIN account a ON a.account = d.collector WHERE g.street = :street AND d.valid_to IS NULL AND {_ACTIVE} "
    "ORDER BY d.collector"
)
_LAST_FOR = text(
    "SELECT collector FROM cases WHERE department = :department AND collector IS NOT NULL AND id <> :case_id "
    "ORDER BY id DESC LIMIT 1"
)
_ALL = text(f"SELECT account FROM account WHERE {_ACTIVE} ORDER BY account")  # noqa: S608


def may(connection: Connection, account: str, role: str) -> bool:
    """Whether an active account has a role."""
    values = {"account": account, "role": f"%|{role}|%"}
    return connection.execute(_MAY, values).one_or_none() is not None


def draw_collector(
    connection: Connection,
    *,
    duty_grid: str | None,
    street: str | None,
    any_of_street: bool,
    exclude: Collection[str] = (),
) -> str | None:
    """Who is sent: the duty grid's collector, or one drawn from the street, else from all; None when there is nobody.

    Args:
        any_of_street: draw even when the duty grid has a collector.
        exclude: not these accounts, unless there is nobody else; the first ones are excluded longest.
    """
    if duty_grid is not None and not any_of_street:
        own = connection.execute(_OF_GRID, {"duty_grid": duty_grid}).scalars().first()
        if own is not None and own not in exclude:
            return str(own)
    candidates: list[str] = []
    if street is not None:
        candidates = list(connection.execute(_OF_STREET, {"street": street}).scalars())
    if set(candidates) <= set(exclude):
        candidates = list(connection.execute(_ALL).scalars())
    for kept_out in range(len(exclude), -1, -1):
        others = [account for account in candidates if account not in list(exclude)[:kept_out]]
        if others:
            return secrets.choice(others)
    return None


def last_for(connection: Connection, department: str | None, case_id: int) -> str | None:
    """Who was sent to the latest other case of a department; None where nobody was."""
    if department is None:
        return None
    values = {"department": department, "case_id": case_id}
    return connection.execute(_LAST_FOR, values).scalar_one_or_none()
