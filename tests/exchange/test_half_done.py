"""What is cut off in the middle (a kill, a full disk) is not in the way of the next try; scopes hold to the letter."""

from __future__ import annotations

import asyncio
import base64
import errno
import os
import threading
import time
from pathlib import Path

import msgspec
import pytest

from appliance.exchange import links
from appliance.exchange.kept import Kept, LastExchange, Order
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.links import LinkFolder, write_private
from appliance.exchange.offers import decide_offer, find_offer, list_offers, take_offer
from appliance.exchange.scopes import grants_of
from appliance.exchange.settings import Link
from appliance.settings import load
from provisioning.joining.written import put_link
from server.exchange.desk import Door, ExchangeDesk
from server.exchange.orders import Carrier
from tests import homes
from tests.cases.desk import Desk

URL = "https://city.example:8443"
FILES = {"calendar.csv": "date,is_workday,name\n2027-01-01,0,元旦\n"}


def full_disk(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_an_offer_that_the_full_disk_cut_off_is_none_and_a_decision_keeps_the_offer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer, _ = take_offer(tmp_path, "calendar", "2027", FILES, link=URL, client="city", now=0)
    with monkeypatch.context() as full:
        full.setattr(links.os, "fsync", full_disk)
        with pytest.raises(OSError, match="No space"):
            take_offer(tmp_path, "calendar", "2028", FILES, link=URL, client="city", now=0)
        with pytest.raises(OSError, match="No space"):
            decide_offer(tmp_path, offer, "declined", "不用", 1)
    assert [(each.title, each.state) for each in list_offers(tmp_path)] == [("2027", "offered")]
    assert find_offer(tmp_path, offer.id).files == FILES
    assert sorted(path.suffix for path in (tmp_path / "offers").iterdir()) == [".json"], "nothing is left lying"
    assert take_offer(tmp_path, "calendar", "2028", FILES, link=URL, client="city", now=0)[1] is True


def test_a_file_is_private_and_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys" / "key.pem"
    write_private(file, "old")
    monkeypatch.setattr(links.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_private(file, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("old", 0o600)


def test_an_answer_that_was_cut_off_while_it_was_written_does_not_stop_the_next_join(tmp_path: Path) -> None:
    folder = LinkFolder(tmp_path, URL)
    assert folder.newest() is None
    first = folder.stage("certificate", "ca", {"city": ["cases.read"]})
    folder.count(first)
    cut_off = folder.path / f"enrolment-{int(first.folder.name.rpartition('-')[2]) + 1}"
    cut_off.mkdir()
    (cut_off / "certificate.pem").write_text("-----BEGIN")
    assert folder.newest() == first
    third = folder.stage("certificate", "ca", {"city": ["cases.read"]})
    folder.count(third)
    folder.forget_others(third)
    assert (folder.newest(), folder.enrolment()) == (third, third)
    assert not cut_off.exists()


def test_who_leaves_and_joins_at_once_shows_the_new_certificate(tmp_path: Path) -> None:
    """A running port looks once a second and knows an enrolment by its folder."""
    folder = LinkFolder(tmp_path, URL)
    folder.count(before := folder.stage("certificate", "ca", {}))
    folder.forget()
    time.sleep(0.005)  # joining takes longer
    assert folder.stage("another", "another", {}).folder != before.folder


def test_both_parts_of_outbound_mode_may_note_how_it_goes_at_once(tmp_path: Path) -> None:
    kept, failed = Kept(tmp_path, URL), []

    def note() -> None:
        try:
            for _ in range(300):
                kept.save_last(LastExchange(at="2026-11-26T00:00:00Z"))
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=note) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert kept.last().at == "2026-11-26T00:00:00Z"


def test_reporters_of_one_street_are_told_in_that_street_only(desk: Desk) -> None:
    number = desk.report(reporter_name="张三丰", reporter_phone="13812344321")  # in 411081001
    now = desk.clock.now()
    told = {}
    with desk.office.records.read() as connection:
        for word in ("reporter.read", "reporter.read@411081001", "reporter.read@411081002"):
            sight = grants_of(["cases.read", word], ["reporter.read"]).sight("cases.read", now, 0.8)
            record = KINDS["case"].records(connection, [number], sight)[number]
            told[word] = msgspec.json.decode(record)["reporter"]["phone"]
    assert told == {
        "reporter.read": "13812344321", "reporter.read@411081001": "13812344321",
        "reporter.read@411081002": "138****4321",
    }  # fmt: skip


def test_an_order_whose_answer_was_lost_to_a_kill_is_not_carried_out_twice(desk: Desk) -> None:
    """It may be killed between the county's own write and the keeping of the answer."""
    number, home = desk.report(), desk.office.records.home
    folder = LinkFolder(home, URL)
    folder.count(folder.stage("certificate", "ca", {"city": ["supervise"]}))
    enrolment = folder.enrolment()
    assert enrolment is not None
    link = Link(url=URL, listen="127.0.0.1:8412", address="https://127.0.0.1:8412", mode="outbound")
    carrier = Carrier(ExchangeDesk(desk.office), Door(link, enrolment, 1000))
    body = base64.b64encode(msgspec.json.encode({"note": "请三日内办结"})).decode()
    order = Order("7", "POST", f"/exchange/v1/cases/{number}/supervisions", {"Wanmi-Client": "city"}, body)
    first = asyncio.run(carrier.answer(order))
    Kept(home, URL).drop_answer(order.id)
    again = asyncio.run(carrier.answer(order))
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body


def test_two_commands_that_write_the_settings_at_once_lose_nothing(tmp_path: Path) -> None:
    home = homes.copy_home(tmp_path / "county")
    links = [
        Link(
            url=f"https://city{n}.example:8443", listen=f"127.0.0.1:{9000 + n}", address=f"https://127.0.0.1:{9000 + n}"
        )
        for n in range(8)
    ]
    threads = [threading.Thread(target=put_link, args=(home, link)) for link in links]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {link.url for link in load(home).exchange.links} == {link.url for link in links}
