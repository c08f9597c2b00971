"""The page of security promises nothing that is not there: its tests and commands exist, its terms hold."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from appliance.cli import wanmi
from appliance.exchange.settings import Exchange
from appliance.scheduling.declared import jobs

ROOT = Path(__file__).parents[1]
PAGES = ("security.md", "personal-data.md")
QUOTED = re.compile(r"`([^`\n]+)`")
STATES = ("met", "in part", "not met", "county")
AUDITED = ("case_action", "admin_act")
REPLICAS = ROOT / "appliance" / "exchange" / "kinds"
"""Writes and forgets the copies that a prefecture has of counties, never a county's own rows."""


def quoted(page: str) -> list[str]:
    return QUOTED.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))


@cache
def defined_in(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("page", PAGES)
def test_every_test_and_file_that_is_named_exists(page: str) -> None:
    for name in quoted(page):
        if name.startswith("tests/") or name == "requirements.lock":
            file, _, test = name.partition("::")
            assert (ROOT / file).exists(), name
            assert not test or test in defined_in(ROOT / file), name


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_named_exists(page: str) -> None:
    commands = sorted({tuple(name.split(" --")[0].split()[1:3]) for name in quoted(page) if name.startswith("wanmi ")})
    for command in commands:
        done = CliRunner().invoke(wanmi, [*(word for word in command if word.islower()), "--help"])
        assert done.exit_code == 0, command


def test_every_row_says_how_far_it_is_met_and_those_that_are_have_evidence() -> None:
    rows = [line.split("|")[1:-1] for line in (ROOT / "docs" / "security.md").read_text().splitlines() if "|" in line]
    items = [
        [cell.strip() for cell in row] for row in rows if not set(row[0]) <= set("- ") and row[0].strip() != "item"
    ]
    assert len(items) > 25
    for item, state, does, evidence, rest in items:
        assert state in STATES, item
        assert state != "met" or "`" in evidence, f"{item}: no evidence"
        assert state in ("county",) or does, item
        assert state == "met" or state == "not met" or rest, f"{item}: what remains is not said"


def test_what_is_audited_is_kept_for_six_months_at_least() -> None:
    with pytest.raises(ValidationError, match="reads_kept_months"):
        Exchange(reads_kept_months=5)
    deleting = [
        str(file.relative_to(ROOT))
        for folder in ("appliance", "server", "provisioning", "backups")
        for file in (ROOT / folder).rglob("*.py")
        if not file.is_relative_to(REPLICAS)
        and "migrations" not in file.parts
        and re.search(rf"DELETE FROM ({'|'.join(AUDITED)})\b", file.read_text())
    ]
    assert deleting == [], "nothing trims the audit"
    assert not [job.name for job in jobs({}) if "audit" in job.name or "history" in job.name]
