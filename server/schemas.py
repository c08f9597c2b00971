"""Shapes that several subjects share on the wire."""

from __future__ import annotations

from typing import Any

import msgspec


class WrongField(msgspec.Struct):
    """A wrong field of a request, with the nearest valid values."""

    field: str
    detail: str
    nearest: list[str]


class Problem(msgspec.Struct, omit_defaults=True):
    """RFC 9457 problem details; `type` is stable."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""
    errors: list[WrongField] = []
    allowed: list[str] = []


class Items(msgspec.Struct):
    """A plain list."""

    items: list[dict[str, Any]]
