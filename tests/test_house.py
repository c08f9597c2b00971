"""The arrows of the house at run time, and the documents that must match the tables."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from appliance.cases.workflow import workflow
from appliance.workflow_page import page
from tests.shared import ROOT

HEAVY = ("litestar", "textual", "serial", "uvicorn")


def loaded_after(statement: str) -> set[str]:
    """The top-level modules that a statement loads in a fresh Python."""
    code = f"{statement}\nimport sys\nprint(' '.join(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module", ["appliance.cases.office", "appliance.cases.requests", "appliance.people.sessions", "appliance.cli"]
)
def test_the_appliance_knows_no_screen_no_http_no_serial_port(module: str) -> None:
    assert loaded_after(f"import {module}").isdisjoint(HEAVY)


@pytest.mark.parametrize("module", ["appliance.codes.book", "appliance.i18n.labels", "appliance.cases.workflow"])
def test_the_pure_parts_load_no_database(module: str) -> None:
    assert loaded_after(f"import {module}").isdisjoint(("sqlalchemy", "sqlmodel", "geoalchemy2", "pydantic", *HEAVY))


def test_the_console_loads_no_records() -> None:
    code = "import tui.app, sys; print([name for name in sys.modules if name.startswith('appliance.records')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_help_imports_no_command() -> None:
    code = "import click; from appliance.cli import wanmi; wanmi.get_help(click.Context(wanmi))"
    assert loaded_after(code).isdisjoint(("sqlalchemy", "pydantic", "rich", *HEAVY))


def test_init_files_import_nothing() -> None:
    folders = ("appliance", "server", "tui", "devices", "provisioning", "backups")
    full = [path for folder in folders for path in (ROOT / folder).rglob("__init__.py") if path.stat().st_size]
    assert full == []


def test_no_room_has_grown_too_large() -> None:
    folders = ("appliance", "server", "tui", "devices", "provisioning", "backups")
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts
    }
    assert {name: size for name, size in sizes.items() if size > 450} == {}


def test_the_page_of_the_workflow_is_the_table() -> None:
    written = (ROOT / "docs" / "workflow.md").read_text(encoding="utf-8")
    assert written == page(workflow()), "run: python -m appliance.workflow_page > docs/workflow.md"


def test_every_link_in_the_documents_leads_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for written in pages:
        for target in re.findall(r"\]\(([^)#]+)", written.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (written.parent / target).exists(), (written.name, target)


def test_every_command_answers_help() -> None:
    from importlib.metadata import entry_points

    from appliance.cli import SUMMARIES, wanmi

    for entry in entry_points(group="wanmi.commands"):
        done = CliRunner().invoke(wanmi, [entry.name, "--help"])
        assert done.exit_code == 0, (entry.name, done.output)
        assert "Usage" in done.stdout
        assert SUMMARIES.get(entry.name), f"wanmi --help says nothing of {entry.name}"


def test_wrong_usage_is_two_and_a_refusal_one_without_a_traceback(tmp_path: object) -> None:
    wrong = subprocess.run([sys.executable, "-m", "appliance", "dance"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    refused = subprocess.run(
        [sys.executable, "-m", "appliance", "audit", "verify", "--home", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "wanmi init" in refused.stderr
    assert "Traceback" not in refused.stderr + wrong.stderr
