"""The whole install on a Debian 12 that has nothing: without network, and with systemd as its process 1."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
MINUTES = 20

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("debootstrap"), reason="needs root, debootstrap and Debian's packages"
    ),
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of this checkout, as the technician makes it where there is a network."""
    folder = tmp_path_factory.mktemp("stick") / "bundle"
    subprocess.run([FOLDER.parent.parent / "install.sh", "bundle", folder], check=True, timeout=MINUTES * 60)
    return folder


@pytest.mark.parametrize("story", ["bare.sh", "booted.sh"])
def test_a_box_is_installed_from_the_bundle_alone(bundle: Path, story: str) -> None:
    done = subprocess.run([FOLDER / story, bundle], capture_output=True, text=True, check=False, timeout=MINUTES * 60)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
