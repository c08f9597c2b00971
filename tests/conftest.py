"""What all tests share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import homes


@pytest.fixture(scope="session", autouse=True)
def _template_home_is_removed() -> Iterator[None]:
    yield
    if homes.template.cache_info().currsize:
        shutil.rmtree(homes.template(), ignore_errors=True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A furnished home of its own for this test."""
    return homes.copy_home(tmp_path / "home")
