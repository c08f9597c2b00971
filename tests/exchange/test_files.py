"""A county behind an air gap: numbered, signed files on a stick, receipts and orders on the way back."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard

from appliance.errors import WanmiError
from appliance.exchange.kept import Kept
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.links import LinkFolder
from appliance.exchange.reading import feed_state
from server.prefecture import files
from server.prefecture.replicas import WRITING, held
from tests import homes, postgis
from tests.cases.desk import Desk
from tests.exchange.joined import status, wanmi
from tests.prefecture.city import City
from tests.prefecture.counties import same_as_county

LID = {"kind": "part", "code": "01002", "lon": homes.WEST + 0.0005, "lat": homes.SOUTH + 0.0005}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000"
    "000049454e44ae426082"
)


@dataclass
class Gap:
    """A prefecture and a county that share nothing but a stick."""

    city: City
    desk: Desk
    home: Path
    stick: Path

    def join(self, *options: str) -> None:
        """Request and answer go by stick too."""
        request, answer = self.stick / "request.json", self.stick / "answer.json"
        wanmi(self.home, "join", "--request", str(request), "--mode", "files", "--address", "https://10.0.0.2:8412")
        self.city.run("sign", str(request), "--out", str(answer), *options)
        wanmi(self.home, "join", "--accept", str(answer))

    def up(self, *options: str) -> dict[str, Any]:
        """The county writes onto the stick."""
        told: dict[str, Any] = json.loads(wanmi(self.home, "link", "write", str(self.stick), "--json", *options))
        return told

    def above(self, *options: str) -> list[dict[str, Any]]:
        """The prefecture reads the stick."""
        read: list[dict[str, Any]] = self.city.json("files", "read", str(self.stick), *options)["read"]
        return read

    def down(self) -> Any:
        """The prefecture writes onto the stick."""
        return self.city.json("files", "write", str(self.stick))["written"][0]

    def back(self) -> list[dict[str, Any]]:
        """The county reads the stick."""
        told: list[dict[str, Any]] = json.loads(wanmi(self.home, "link", "read", str(self.stick), "--json"))["read"]
        return told

    def refused(self, *arguments: str) -> str:
        """The sentence with which the county refuses."""
        with pytest.raises(WanmiError) as caught:
            wanmi_raises(self.home, *arguments)
        return f"{caught.value.zh} {caught.value.en}"

    def same(self) -> bool:
        """Whether the replica equals the county, line by line."""
        platform = self.city.open()
        try:
            return same_as_county(platform, self.desk)
        finally:
            platform.close()

    def lost(self, pattern: str) -> None:
        """Files on the stick are lost."""
        for path in self.stick.glob(pattern):
            path.unlink()


def wanmi_raises(home: Path, *arguments: str) -> None:
    """A command of the technician whose refusal is wanted as it is."""
    from click.testing import CliRunner

    from appliance import cli

    done = CliRunner().invoke(cli.wanmi, [*arguments, "--home", str(home)], standalone_mode=False)
    if done.exception is not None:
        raise done.exception


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """One prefecture for all stories; each has a county of its own state in it."""
    postgis.require()
    database = postgis.cluster().create()
    yield City(tmp_path_factory.mktemp("files") / "city", database).make()
    postgis.cluster().drop(database)


@pytest.fixture
def gap(made: City, tmp_path: Path) -> Iterator[Gap]:
    home = homes.copy_home(tmp_path / "county")
    stick = tmp_path / "stick"
    stick.mkdir()
    desk = Desk(home)
    pair = Gap(made, desk, home, stick)
    pair.join()
    yield pair
    desk.close()
    platform = made.open()
    with platform.begin() as connection:
        for table in ("file_link", "file_order", "sent", "evidence", "pull_log", "county", "certificate"):
            connection.exec_driver_sql(f"DELETE FROM prefecture.{table}")
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS county_411081 CASCADE")
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS county_411081_next CASCADE")
    platform.close()
    for folder in ("files", "evidence"):
        shutil.rmtree(made.home / folder, ignore_errors=True)


def test_a_snapshot_then_changes_and_receipts_go_to_and_fro(gap: Gap) -> None:
    gap.desk.to_dispatched()
    assert gap.up()["made"] == ["411081-feed-000001.wmx"]
    first = (gap.stick / "411081-feed-000001.wmx").read_bytes()
    assert gap.up()["made"] == [], "nothing is new"
    assert [(each["content"], each["fits"]) for each in gap.above()] == [("snapshot", True)]
    assert gap.same()
    assert gap.above() == [], "each file counts once"
    number = gap.desk.report()
    gap.lost("*")
    told = gap.up()
    assert (told["made"], len(told["copied"])) == (["411081-feed-000002.wmx"], 2)
    assert (gap.stick / "411081-feed-000001.wmx").read_bytes() == first, "the same number is the same bytes"
    assert [each["content"] for each in gap.above()] == ["changes"]
    assert gap.same()
    assert gap.city.sees("SELECT count(*) FROM county_411081.cases WHERE number = :n", n=number)[0][0] == 1
    assert gap.down()["waiting"] == ["411081-down-000001.wmx"]
    assert [each["orders"] for each in gap.back()] == [0]
    seen = status(gap.home)
    assert (seen["mode"], seen["lag_rows"], seen["trouble"]) == ("files", 0, None)
    gap.lost("*.wmx")
    assert gap.up() == {"waiting": [], "made": [], "copied": []}, "all is receipted"
    platform = gap.city.json("status", "--lag", "1e9")["counties"][0]
    assert (platform["mode"], platform["lag_rows"]) == ("files", 0)


def test_orders_come_down_with_a_picture_and_their_answers_go_up(gap: Gap, tmp_path: Path) -> None:
    slow = gap.desk.report()
    gap.up()
    gap.above()
    case, photo = tmp_path / "case.json", tmp_path / "lid.png"
    case.write_text(json.dumps({**LID, "description": "井盖", "upper": {"number": "XC-41"}}), encoding="utf-8")
    photo.write_bytes(PNG)
    assert gap.city.json("send", homes.COUNTY, str(case), "--evidence", str(photo))["state"] == "waiting"
    gap.city.json("supervise", homes.COUNTY, slow, "--note", "请三日内办结")
    gap.city.json("supervise", homes.COUNTY, "no-such-case", "--note", "快")
    assert gap.down()["orders"] == 4
    state = Kept(gap.home, "usb").folder / "files.json"
    before = state.read_bytes()
    assert [each["orders"] for each in gap.back()] == [4]
    state.write_bytes(before)  # the power went before the end
    assert [each["orders"] for each in gap.back()] == [4], "it is read again, and nothing is carried out twice"
    assert gap.back() == [], "read once"
    made = gap.up()["made"]
    assert [each["content"] for each in gap.above()] == ["answers", "changes"], made
    rows = gap.city.json("sent")
    told = sorted((row["kind"], row["state"], row["status"]) for row in rows)
    assert told == [
        ("case", "done", 201), ("evidence", "done", 201), ("supervision", "done", 201), ("supervision", "failed", 404),
    ]  # fmt: skip
    seen = gap.desk.case(next(row["number"] for row in rows if row["kind"] == "case"))
    assert (seen["upper"]["number"], len(seen["evidence"])) == ("XC-41", 1)
    assert gap.same()
    assert gap.city.sees("SELECT count(*) FROM county_411081.cases WHERE upper_number = 'XC-41'")[0][0] == 1
    assert gap.city.sees("SELECT count(*) FROM county_411081.supervision WHERE note = '请三日内办结'")[0][0] == 1
    assert Kept(gap.home, "usb").answers() == []


def test_the_picture_of_a_closed_case_comes_up_with_the_files(gap: Gap, tmp_path: Path) -> None:
    case, photo = tmp_path / "case.json", tmp_path / "lid.png"
    case.write_text(json.dumps({**LID, "description": "井盖", "upper": {"number": "XC-42"}}), encoding="utf-8")
    photo.write_bytes(PNG)
    gap.up()
    gap.above()
    gap.city.json("send", homes.COUNTY, str(case), "--evidence", str(photo))
    gap.down()
    gap.back()
    gap.up()
    gap.above()
    sent = next(row for row in gap.city.json("sent") if row["kind"] == "case")
    platform = gap.city.open()
    with platform.begin() as connection:  # as it is when the county closes it
        connection.exec_driver_sql(f"UPDATE county_411081.cases SET state = 'closed' WHERE number = '{sent['number']}'")
    platform.close()
    assert gap.above() == []
    assert gap.down()["orders"] == 1
    gap.back()
    gap.up()
    gap.above()
    (file,) = next(row["evidence"] for row in gap.city.json("sent") if row["kind"] == "case")
    assert file["state"] == "here", file
    assert Path(file["file"]).read_bytes() == PNG


def test_the_prefecture_dies_between_a_snapshots_last_file_and_its_taking_place(
    gap: Gap, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap.up()

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(files, "put_in_place", dies)
        gap.city.run("files", "read", str(gap.stick), code=1)
    assert gap.above() == [], "the file counts already"
    assert gap.same()


def test_the_prefecture_dies_in_the_middle_of_a_file_and_nothing_of_it_counts(
    gap: Gap, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap.up()
    gap.above()
    number = gap.desk.report()
    gap.up()

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(files, "_number", dies)
        gap.city.run("files", "read", str(gap.stick), code=1)
    found = "SELECT count(*) FROM county_411081.cases WHERE number = :number"
    assert gap.city.sees(found, number=number)[0][0] == 0
    assert [each["fits"] for each in gap.above()] == [True]
    assert gap.same()


def test_a_large_county_is_cut_into_several_files_and_goes_on_after_an_interruption(gap: Gap) -> None:
    for _ in range(30):
        gap.desk.report()
    told = gap.up("--size", "0.002")
    assert len(told["made"]) >= 3
    last = gap.stick / told["made"][-1]
    part = last.rename(last.with_name(f"{last.name}.part"))  # the stick was pulled out
    assert len(gap.above()) == len(told["made"]) - 1
    assert gap.up()["copied"] == [last.name]
    assert not part.exists()
    assert len(gap.above()) == 1
    assert gap.same()


def test_a_missing_a_torn_and_a_changed_file_are_refused_in_a_sentence(gap: Gap) -> None:
    gap.up()
    for _ in range(2):
        gap.desk.report()
        gap.up()
    second, third = gap.stick / "411081-feed-000002.wmx", gap.stick / "411081-feed-000003.wmx"
    whole = second.read_bytes()
    second.unlink()
    said = gap.city.run("files", "read", str(gap.stick), code=1)
    assert "缺少 411081-feed-000002.wmx" in said
    second.write_bytes(whole[: len(whole) // 2])
    said = gap.city.run("files", "read", str(gap.stick), code=1)
    assert said.startswith("411081-feed-000002.wmx: ")
    assert "不完整" in said
    changed = bytearray(whole)
    changed[-3] ^= 1
    second.write_bytes(bytes(changed))
    assert "411081-feed-000002.wmx: 内容不完整或被改动过" in gap.city.run("files", "read", str(gap.stick), code=1)
    second.write_bytes(third.read_bytes())
    assert "实为 411081-feed-000003.wmx" in gap.city.run("files", "read", str(gap.stick), code=1)
    second.write_bytes(whole)
    assert [each["file"] for each in gap.above()] == [second.name, third.name]
    assert gap.same()


def test_a_file_that_is_lost_for_good_is_passed_over_and_a_snapshot_comes(gap: Gap) -> None:
    gap.up()
    gap.above()
    gap.desk.report()
    gap.up()
    gap.lost("*000002*")
    gap.desk.report()
    wanmi(gap.home, "link", "write", str(gap.stick))
    gap.lost("*000002*")
    assert [(each["file"][-10:-4], each["fits"]) for each in gap.above("--adopt")] == [("000003", False)]
    assert gap.down()
    assert [each["snapshot"] for each in gap.back()] == [True]
    assert gap.back() == []
    gap.up()
    assert [each["content"] for each in gap.above()] == ["snapshot"]
    assert gap.same()
    gap.down()
    gap.back()
    assert status(gap.home)["lag_rows"] == 0


def test_a_county_restored_from_a_backup_goes_on_where_the_prefecture_is(gap: Gap) -> None:
    gap.up()
    gap.above()
    backup = Kept(gap.home, "usb").folder
    shutil.copytree(backup, gap.home / "saved")
    gap.desk.report()
    gap.up()
    gap.above()
    shutil.rmtree(backup)
    shutil.copytree(gap.home / "saved", backup)
    with homes.intruding(gap.home) as connection:
        connection.exec_driver_sql("UPDATE feed SET name = 'restored'")
    gap.lost("*")
    gap.desk.report()
    gap.up()
    assert "从备份恢复过" in gap.city.run("files", "read", str(gap.stick), code=1)
    gap.down()
    gap.back()
    gap.lost("*")
    assert gap.up()["made"] == ["411081-feed-000003.wmx"]
    assert [(each["content"], each["fits"]) for each in gap.above()] == [("snapshot", True)]
    assert gap.same()


def test_a_county_that_left_and_joins_again_hears_where_the_prefecture_is(gap: Gap) -> None:
    """Its files begin at 1 again; they are not passed over as if they had been read."""
    gap.up()
    gap.above()
    gap.desk.report()
    gap.up()
    gap.above()
    gap.down()
    gap.back()
    gap.desk.report()
    gap.up()
    gap.above()
    gap.down()
    gap.back()
    gap.lost("*")
    wanmi(gap.home, "leave")
    gap.join()
    gap.up()
    assert "从备份恢复过" in gap.city.run("files", "read", str(gap.stick), code=1)
    gap.down()
    gap.back()
    gap.lost("*")
    gap.up()
    assert [(each["content"], each["fits"]) for each in gap.above()] == [("snapshot", True)]
    assert gap.same()


def test_a_county_that_lets_us_see_more_brings_a_snapshot(gap: Gap) -> None:
    gap.desk.report()
    gap.join("--scopes", "cases.read@411081002,places.read,reports.read")
    gap.up()
    gap.above()
    assert not gap.same()
    gap.join()
    gap.desk.report()
    gap.up()
    assert [each["fits"] for each in gap.above()] == [False]
    gap.down()
    gap.back()
    gap.up()
    assert [(each["content"], each["fits"]) for each in gap.above()] == [("snapshot", True)]
    assert gap.same()


def test_orders_whose_answers_were_lost_for_good_go_down_again_and_are_done_once(gap: Gap) -> None:
    number = gap.desk.report()
    gap.up()
    gap.above()
    gap.city.json("supervise", homes.COUNTY, number, "--note", "请三日内办结")
    assert gap.down()["orders"] == 1
    gap.back()
    gap.lost("*")
    assert [each[7:-4] for each in gap.up()["made"]] == ["feed-000002", "feed-000003"]
    gap.lost("*feed-000002*")
    assert [each["file"][7:-4] for each in gap.above("--adopt")] == ["feed-000003"]
    assert gap.down()["orders"] == 1
    gap.back()
    gap.up()
    gap.above()
    assert [row["state"] for row in gap.city.json("sent")] == ["done"]
    assert len(gap.desk.case(number)["supervisions"]) == 1
    assert gap.same()
    assert gap.city.sees("SELECT count(*) FROM prefecture.file_order")[0][0] == 0


def test_two_who_write_for_one_county_do_not_write_one_number_twice(gap: Gap) -> None:
    gap.up()
    gap.above()
    platform = gap.city.open()
    with held(platform, homes.COUNTY, WRITING):
        assert "repeat this one later" in gap.city.run("files", "write", str(gap.stick), code=1)
    platform.close()
    assert gap.down()["waiting"] == ["411081-down-000001.wmx"]


def test_a_file_that_is_wrong_stops_no_other_county(gap: Gap) -> None:
    gap.up()
    (gap.stick / "411080-feed-000001.wmx").write_bytes(b"of a county that left long ago")
    said = gap.city.run("files", "read", str(gap.stick), code=1)
    assert "411080" in said
    assert gap.same()


def test_orders_of_a_stranger_and_of_another_county_are_not_carried_out(gap: Gap, tmp_path: Path) -> None:
    gap.up()
    gap.above()
    gap.city.json("supervise", homes.COUNTY, "x", "--note", "快")
    gap.down()
    gap.desk.report()
    gap.up()
    gap.above()
    gap.down()
    first = gap.stick / "411081-down-000001.wmx"
    whole = first.read_bytes()
    first.unlink()
    assert "411081-down-000001.wmx is missing" in gap.refused("link", "read", str(gap.stick))
    changed = whole.replace(b'"county":"411081"', b'"county":"411082"')
    first.write_bytes(changed)
    assert "签名不对" in gap.refused("link", "read", str(gap.stick))
    first.write_bytes(whole)
    assert [each["orders"] for each in gap.back()] == [1, 0]
    assert [answer.status for answer in Kept(gap.home, "usb").answers()] == [404]


def test_a_link_that_does_not_carry_files_says_how_to_change_it(gap: Gap) -> None:
    wanmi(gap.home, "join", "--request", str(gap.stick / "r.json"), "--mode", "pull")
    assert "--mode files" in gap.refused("link", "write", str(gap.stick))


def test_a_vendor_writes_a_file_from_the_description_alone(gap: Gap) -> None:
    """With nothing of ours but the key and the certificate: JSON, zstd and openssl."""
    gap.up()
    gap.above()
    folder = LinkFolder(gap.home, "usb")
    enrolment = folder.enrolment()
    assert enrolment is not None
    with gap.desk.office.records.read() as connection:
        feed = feed_state(connection)
    before = (gap.stick / "411081-feed-000001.wmx").read_bytes()
    part = {"code": "D99", "name": "园林所", "parent": None}
    line = {"seq": feed.last + 1, "type": "department", "id": "D99", "op": "put", "at": "2026-11-26T00:00:00Z",
            "schema": 1, "prev": feed.last, "data": part}  # fmt: skip
    plain = json.dumps(line).encode() + b"\n"
    payload = zstandard.ZstdCompressor().compress(plain)
    size = {"bytes": len(payload), "plain_bytes": len(plain), "lines": 1}
    manifest = json.dumps({
        "contract": "1", "county": "411081", "link": "usb", "way": "feed", "number": 2, "content": "changes",
        "previous": hashlib.sha256(before).hexdigest(), "created": datetime.now(UTC).isoformat(),
        "certificates": enrolment.certificate.read_text(), "feed": feed.name, "after": feed.last,
        "next": feed.last + 1, "last": feed.last + 1, "types": list(KINDS),
        "payload": {"sha256": hashlib.sha256(payload).hexdigest(), **size},
    }).encode()  # fmt: skip
    sign = ["openssl", "dgst", "-sha256", "-sign", str(folder.key)]
    signature = subprocess.run(sign, input=manifest, capture_output=True, check=True).stdout
    whole = b"".join((b"WANMI-X1", struct.pack(">I", len(manifest)), manifest, struct.pack(">H", len(signature)),
                      signature, payload))  # fmt: skip
    (gap.stick / "411081-feed-000002.wmx").write_bytes(whole)
    assert [(each["content"], each["fits"]) for each in gap.above()] == [("changes", True)]
    found = gap.city.sees("SELECT name FROM county_411081.department WHERE code = 'D99'")
    assert found[0].name == "园林所"
