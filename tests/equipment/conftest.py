from __future__ import annotations

from tests.cases.conftest import desk

__all__ = ["desk"]
