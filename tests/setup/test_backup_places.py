"""The technician says where backups go: to a disk that does not die with the box, where its units may write."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import Conflict
from provisioning.setup import backup, disks
from provisioning.setup.disks import UNDER, refuse_wrong_place, targets
from provisioning.setup.facts import facts_of
from provisioning.setup.talk import Answers
from provisioning.system.box import Box
from provisioning.system.tables import DATA


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """An installed box; what is mounted in it stands in a file."""
    installed = Box(tmp_path / "root")
    installed.current.mkdir(parents=True)
    installed.home.mkdir(parents=True)
    monkeypatch.setattr(disks, "LABELS", tmp_path / "labels")
    monkeypatch.setattr(disks, "MOUNTS", tmp_path / "mounts")
    (tmp_path / "labels").mkdir()
    return installed


def mount(tmp_path: Path, *disks_of: tuple[str, Path]) -> None:
    """Disks by their labels, and where they are mounted."""
    lines = []
    for label, mounted in disks_of:
        device = tmp_path / f"device of {label}".replace(" ", "-")
        device.touch()
        (tmp_path / "labels" / label).symlink_to(device)
        lines.append(f"{device} {mounted} ext4 rw,relatime 0 0\n")
    (tmp_path / "mounts").write_text("".join(lines), encoding="utf-8")


def test_an_installed_box_backs_up_where_its_units_may_write_and_says_so_of_other_folders(
    box: Box, tmp_path: Path
) -> None:
    mount(tmp_path, ("DATA", tmp_path / "opt"))
    for to in ("/srv/second/wanmi", "/media/stick", "sftp:vault@10.0.0.9:/yuzhou", "disk:NOT-HERE/wanmi", ""):
        refuse_wrong_place(box.home, to, box)
    for to in ("/opt/backup/wanmi", "disk:DATA/wanmi", "/srvother/x"):
        with pytest.raises(Conflict, match="below /media, /mnt, /run/media, /srv only"):
            refuse_wrong_place(box.home, to, box)
    refuse_wrong_place(tmp_path / "node", "/opt/backup/wanmi", box)  # `wanmi up` writes where its account may


@pytest.mark.parametrize("unit", ["wanmi-scheduler.service", "wanmi-warm.service"])
def test_what_is_offered_is_what_the_units_may_write(unit: str) -> None:
    (line,) = [line for line in (DATA / unit).read_text("utf-8").splitlines() if line.startswith("ReadWritePaths=")]
    assert line.removeprefix("ReadWritePaths=").split() == [f"-{folder}" for folder in UNDER]


def test_the_home_s_own_disk_is_refused_by_its_label_too(box: Box, tmp_path: Path) -> None:
    mount(tmp_path, ("SYSTEM", tmp_path))
    for to in (str(box.home / "copies"), "disk:SYSTEM/root/var/lib/wanmi/copies"):
        with pytest.raises(Conflict, match="inside the home"):
            refuse_wrong_place(box.home, to, box)


def test_a_stick_that_is_mounted_on_demand_and_not_plugged_in_is_not_offered(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "media" / "second"
    there.mkdir(parents=True)
    monkeypatch.setattr(disks, "UNDER", (str(tmp_path / "media"),))
    mount(tmp_path, ("AWAY", tmp_path / "media" / "away"), ("SECOND", there), ("SYSTEM", tmp_path))
    assert [each.to for each in targets()] == ["disk:SECOND/wanmi"]


@pytest.mark.sqlite("it looks at the home of one county")
def test_a_sheet_on_a_stick_is_open_until_somebody_says_that_it_is_on_paper(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(backup, "run_backup", lambda home, *words: ran.append(words))
    given = {"to": str(tmp_path / "repository"), "sheet": str(tmp_path / "stick" / "sheet.html")}
    step = backup.BackUp()
    step.run(home, Answers(home, "backup", {**given, "printed": False}, tmp_path))
    assert ran[-1] == ("sheet", given["sheet"])
    assert "恢复单未打印" in step.standing(facts_of(home)).zh
    step.run(home, Answers(home, "backup", {**given, "printed": True}, tmp_path))
    assert "恢复单未打印" not in step.standing(facts_of(home)).zh
