"""Who acts: a signed-in person, or one of the machines that take part in the loop."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who does something.

    Attributes:
        subtree: the codes of the person's department and all units below it.
        duty_grids: the duty grids which a collector walks.
    """

    account: str
    name: str
    roles: frozenset[str]
    department: str | None = None
    subtree: frozenset[str] = frozenset()
    duty_grids: frozenset[str] = frozenset()


_MACHINE_NAMES = {"public": "公众", "prefecture": "上级平台", "device": "设备", "clock": "系统时钟", "wall": "大屏"}


def machine(role: str, account: str | None = None, name: str | None = None) -> Actor:
    """A machine role; no account has one."""
    return Actor(account or role, name or _MACHINE_NAMES[role], frozenset((role,)))
