"""Temporary passwords that people copy from paper."""

from __future__ import annotations

import secrets

SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without those that are taken for another on paper."""
GROUP = 4


def new_password(length: int) -> str:
    """A password of groups of four signs, at least as long as the county's rule wants and of 59 bits or more."""
    groups = max(3, -(-length // (GROUP + 1)))
    return "-".join("".join(secrets.choice(SIGNS) for _ in range(GROUP)) for _ in range(groups))
