"""Somebody stopped `install.sh` while it made .venv; the next run makes it anew."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON = Path("/usr/bin/python3")


@pytest.mark.skipif(not PYTHON.exists(), reason="install.sh builds with Debian's python3, which is not here")
def test_a_half_made_environment_is_made_anew(tmp_path: Path) -> None:
    """Only the environment is looked at; the folder holds no project that could be put into it."""
    functions = (ROOT / "install.sh").read_text(encoding="utf-8").removesuffix('main "$@"\n')
    (tmp_path / "install.sh").write_text(f"{functions}build_venv requirements.lock\n", encoding="utf-8")
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", ".venv"], cwd=tmp_path, check=True)

    done = subprocess.run(["sh", "install.sh"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    if "ensurepip is not available" in done.stdout + done.stderr:
        pytest.skip("python3-venv is not installed here")
    assert "No module named pip" not in done.stderr
    subprocess.run([".venv/bin/python", "-m", "pip", "--version"], cwd=tmp_path, check=True, capture_output=True)
