"""The roles an account may have, with their names; one person may hold several."""

from __future__ import annotations

from collections.abc import Iterable

from appliance.errors import FieldError, UnknownCode

ROLE_NAMES = {
    "collector": ("信息采集员", "Collector"),
    "acceptor": ("受理员", "Acceptor"),
    "shift_leader": ("值班长", "Shift leader"),
    "dispatcher": ("派遣员", "Dispatcher"),
    "department": ("专业部门", "Department"),
    "leader": ("领导", "Leader"),
    "assessor": ("考核员", "Assessor"),
    "admin": ("系统管理员", "Administrator"),
    "technician": ("技术员", "Technician"),
}


def split_roles(text: str) -> frozenset[str]:
    """The roles in a text joined by `|`."""
    return frozenset(part.strip() for part in text.split("|") if part.strip())


def joined_roles(roles: Iterable[str]) -> str:
    """Roles sorted and joined by `|`, as they are stored.

    Raises:
        UnknownCode: a role that does not exist, or none at all.
    """
    given = set(roles)
    unknown = sorted(given - ROLE_NAMES.keys())
    if unknown or not given:
        raise UnknownCode(
            f"没有角色 {'、'.join(unknown) or '(空)'};可用: {'、'.join(ROLE_NAMES)}。",
            f"No role {', '.join(unknown) or '(empty)'}; known: {', '.join(ROLE_NAMES)}.",
            fields=(FieldError("roles", "未知角色", "unknown role", tuple(ROLE_NAMES)),),
        )
    return "|".join(sorted(given))
