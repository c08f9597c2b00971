"""The technician carries a bundle on a stick: what is damaged, incomplete or of another hand changes nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from zipfile import ZipFile

import pytest

from tests.shared import ROOT

pytestmark = pytest.mark.skipif(not (shutil.which("gpg") and shutil.which("gpgv")), reason="gpg signs, gpgv verifies")


def shell(script: str, **variables: str | Path) -> subprocess.CompletedProcess[str]:
    """The functions of install.sh and its parts, and lines that call them. Nobody sits at the keyboard."""
    functions = (ROOT / "install.sh").read_text(encoding="utf-8").removesuffix('main "$@"\n')
    given = "\n".join(f"{name}='{value}'" for name, value in variables.items())
    parts = "\n".join(f". ./provisioning/system/install/{part}.sh" for part in ("offline", "bundle", "release"))
    return subprocess.run(
        ["sh", "-c", f"{functions}\n{parts}\n{given}\n{script}"],
        cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip


@pytest.fixture(scope="module")
def keys() -> Iterator[Path]:
    """Where the machine that makes bundles keeps its key; a short path, for the agent's socket is below it."""
    folder = Path(mkdtemp(prefix="wk-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def sign(folder: Path, keys: Path) -> str:
    """Sign a bundle as `bundle DIR` does; returns the fingerprint that it prints."""
    done = shell("sign_bundle", bundle=folder, KEYS=keys)
    assert done.returncode == 0, done.stderr
    return next(line.rsplit(" ", 1)[1] for line in done.stderr.splitlines() if "signed by" in line)


@pytest.fixture
def bundle(tmp_path: Path, keys: Path) -> tuple[Path, str]:
    """A small bundle that is whole, on a stick whose name has a space, and its fingerprint."""
    folder = tmp_path / "USB STICK"
    for name in ("debs/Packages", "wheels/a-1-py3-none-any.whl", "requirements.lock", "wanmi.tar.gz"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"content of {name}", encoding="utf-8")
    return folder, sign(folder, keys)


def verify(folder: Path, key: str = "") -> subprocess.CompletedProcess[str]:
    """Verify as `--offline` does before anything else, on a machine that saw no bundle yet."""
    return shell("verify_bundle", OFFLINE=folder, WANMI_BUNDLE_KEY=key, PINNED="/nonexistent")


def test_a_whole_bundle_is_taken_and_its_fingerprint_told(bundle: tuple[Path, str]) -> None:
    folder, key = bundle
    unattended = verify(folder)
    assert unattended.returncode == 0, unattended.stderr
    assert key in unattended.stderr
    assert "not compared" in unattended.stderr
    spaced = " ".join(key[place : place + 4] for place in range(0, 40, 4)).lower()
    assert "not compared" not in verify(folder, spaced).stderr


def test_wheels_come_from_a_stick_whose_name_has_a_space(bundle: tuple[Path, str], tmp_path: Path) -> None:
    """pip looks for a wheel on the stick and finds it; it installs nothing, for the Python here is not the box's."""
    folder, _key = bundle
    wheel = folder / "wheels" / "tiny-1-py3-none-any.whl"
    with ZipFile(wheel, "w") as written:
        written.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        written.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        written.writestr("tiny-1.dist-info/RECORD", "")
    digest = sha256(wheel.read_bytes()).hexdigest()
    (folder / "requirements.lock").write_text(f"tiny==1 --hash=sha256:{digest}\n", encoding="utf-8")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    trial = f'case " $* " in *" -e "*) ;; *" install "*) exec {sys.executable} "$@" --dry-run ;; esac'
    python.write_text(f"#!/bin/sh\n{trial}\n", encoding="utf-8")
    python.chmod(0o755)
    for name in ("requirements.lock", "pyproject.toml", "install.sh"):
        (tmp_path / name).touch()
    done = shell('cd "$tree"; build_venv requirements.lock', OFFLINE=folder, tree=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / ".venv").glob("*wheels")), "the stick may be pulled"


def test_what_apt_said_with_a_network_is_in_the_log_too(tmp_path: Path) -> None:
    log = tmp_path / "install.log"
    fakes = 'installed() { false; }; as_root() { echo "apt: $*"; }'
    done = shell(f"{fakes}; get_packages gpg", LOG=log)
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in log.read_text().splitlines()] == ["apt-get", "env"]


def flip_a_byte(folder: Path) -> None:
    file = folder / "wheels" / "a-1-py3-none-any.whl"
    written = bytearray(file.read_bytes())
    written[3] ^= 1
    file.write_bytes(written)


def lose_a_file(folder: Path) -> None:
    (folder / "wanmi.tar.gz").unlink()


def slip_a_file_in(folder: Path) -> None:
    (folder / "wheels" / "evil-1-py3-none-any.whl").touch()


def slip_a_link_in(folder: Path) -> None:
    (folder / "debs" / "evil.deb").symlink_to("/etc/passwd")


def change_the_list(folder: Path) -> None:
    file = folder / "SHA256SUMS"
    file.write_text(file.read_text(encoding="utf-8").replace("./wanmi.tar.gz", "./wanmi.tar.xz"), encoding="utf-8")


def lose_the_signature(folder: Path) -> None:
    (folder / "SHA256SUMS.sig").unlink()


def empty_the_signature(folder: Path) -> None:
    (folder / "SHA256SUMS.sig").write_bytes(b"")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (flip_a_byte, "a-1-py3-none-any.whl: FAILED"),
        (lose_a_file, "wanmi.tar.gz: FAILED"),
        (slip_a_file_in, "does not name: ./wheels/evil"),
        (slip_a_link_in, "does not name: ./debs/evil.deb"),
        (change_the_list, "signature of its list is wrong"),
        (lose_the_signature, "SHA256SUMS.sig is missing"),
        (empty_the_signature, "signature of its list is wrong"),
    ],
)
def test_a_harmed_bundle_is_refused(bundle: tuple[Path, str], harm: Callable[[Path], None], said: str) -> None:
    folder, _key = bundle
    harm(folder)
    refused = verify(folder)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "Nothing was changed" in refused.stderr


def test_a_bundle_of_another_hand_is_refused_where_the_fingerprint_is_known(
    bundle: tuple[Path, str], tmp_path: Path
) -> None:
    folder, key = bundle
    other = Path(mkdtemp(prefix="wk-", dir="/tmp"))
    try:
        assert sign(folder, other) != key
    finally:
        shutil.rmtree(other)
    named = verify(folder, key)
    assert (named.returncode, "expected is" in named.stderr) == (1, True)

    pinned = tmp_path / "bundle.key"
    pinned.write_text(f"{key}\n", encoding="utf-8")
    later = shell("verify_bundle", OFFLINE=folder, PINNED=pinned, WANMI_BUNDLE_KEY="")
    assert (later.returncode, "expected is" in later.stderr) == (1, True)


def test_the_software_in_a_bundle_is_that_of_the_tree_and_nothing_that_was_made_in_it(tmp_path: Path) -> None:
    done = shell(f"pack_source {tmp_path}/wanmi.tar.gz")
    assert done.returncode == 0, done.stderr
    names = subprocess.run(
        ["tar", "tzf", tmp_path / "wanmi.tar.gz"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {"wanmi/install.sh", "wanmi/requirements.lock", "wanmi/provisioning/system/data/wanmi.service"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or "egg-info" in name or ".venv" in name]
