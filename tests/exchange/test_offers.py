"""The prefecture offers a calendar or a code pack; it counts when the technician applied it, and not before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from importlib.resources import files

import httpx
import pytest

from appliance.cases.office import Office
from appliance.errors import BadFile, Conflict, Invalid
from appliance.scoring.packs_in_force import packs_in_force
from appliance.settings import load
from provisioning.joining.applying import apply_offer
from tests.exchange.joined import Joined, address, wanmi
from tests.exchange.platform import Platform
from tests.nodes import RunningNode

OFFERS = "/exchange/v1/offers"
CALENDAR = {
    "kind": "calendar", "title": "国务院办公厅 2027 年节假日",
    "files": {"calendar.csv": "date,is_workday,name\n2027-01-01,0,元旦\n2027-01-03,1,元旦调休\n"},
}  # fmt: skip
PACK = {
    "kind": "pack", "title": "许昌市统一编码",
    "files": {"pack.toml": 'name = "许昌市"\nedition = "2026"\ndefault_limit = { value = 5, unit = "工作日" }\n'},
}  # fmt: skip


@pytest.fixture(scope="module")
def county(shared_node: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Joined]:
    with Platform(tmp_path_factory.mktemp("platform")) as platform:
        joined = Joined(shared_node, platform, address())
        assert joined.join()["ok"] is True
        yield joined


@pytest.fixture
def above(county: Joined) -> Iterator[httpx.Client]:
    with county.client() as client:
        client.headers["Accept-Language"] = "en"
        yield client


def offer(above: httpx.Client, body: dict[str, object]) -> str:
    answer = above.post(OFFERS, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def state_of(above: httpx.Client, id_: str) -> dict[str, object]:
    return next(item for item in above.get(OFFERS).json()["items"] if item["id"] == id_)


def test_a_calendar_from_above_is_applied_by_hand_and_can_be_undone(county: Joined, above: httpx.Client) -> None:
    home = county.node.home
    id_ = offer(above, CALENDAR)
    assert above.post(OFFERS, json=CALENDAR).status_code == 200, "the same offer"
    assert state_of(above, id_)["state"] == "offered"
    assert id_ in wanmi(home, "link", "offers")
    with_office = Office.open(home)
    try:
        assert not with_office.calendar.is_known(date(2027, 1, 3))
        wanmi(home, "link", "apply", id_, "--yes")
        with with_office.records.read() as connection:
            with_office.refresh(connection, at_once=True)
        assert with_office.calendar.is_workday(date(2027, 1, 3)), "a Sunday that is worked"
    finally:
        with_office.close()
    assert state_of(above, id_)["state"] == "applied"
    wanmi(home, "link", "apply", id_, "--yes", code=1)
    batch = str(state_of(above, id_)["note"]).split("批次 ")[1].split(")")[0]
    wanmi(home, "import", "undo", batch)


def test_a_pack_is_checked_before_it_counts(county: Joined, above: httpx.Client) -> None:
    home = county.node.home
    bad = offer(above, PACK | {"files": {"pack.toml": 'name = "x"\nedition = "1999"\n'}})
    before = (home / "wanmi.toml").read_text()
    with pytest.raises(Invalid, match="edition"):
        apply_offer(home, bad)
    assert (home / "wanmi.toml").read_text() == before
    wanmi(home, "link", "decline", bad, "--reason", "版本不对")
    assert (state_of(above, bad)["state"], state_of(above, bad)["note"]) == ("declined", "版本不对")
    good = offer(above, PACK)
    wanmi(home, "link", "apply", good, "--yes")
    assert load(home).pack == f"packs/{good}"
    office = Office.open(home)
    try:
        assert office.book.default_limit.value == 5
    finally:
        office.close()


@pytest.mark.parametrize(
    ("change", "status_code"),
    [
        ({"kind": "software"}, 422), ({"files": {}}, 422), ({"files": {"other.csv": "x"}}, 422),
        ({"files": {"pack.toml": "x", "../../etc/passwd": "x"}}, 422), ({"files": {"pack.toml": "x" * 5_000_000}}, 422),
    ],
)  # fmt: skip
def test_what_is_no_offer_is_refused(above: httpx.Client, change: dict[str, object], status_code: int) -> None:
    assert above.post(OFFERS, json={**PACK, **change}).status_code == status_code


def test_the_prefectures_indicators_are_computed_beside_the_countys(county: Joined, above: httpx.Client) -> None:
    home = county.node.home
    text = (files("appliance.scoring") / "packs" / "national.csv").read_text(encoding="utf-8")
    theirs = {"kind": "indicators", "title": "许昌市考核指标", "files": {"xuchang.csv": text}}
    wrong = offer(above, theirs | {"files": {"xuchang.csv": text.replace("30 close_rate", "31 close_rate")}})
    before = (home / "wanmi.toml").read_text()
    with pytest.raises(BadFile, match=r"xuchang.*line"):
        apply_offer(home, wrong)
    same = offer(above, theirs | {"files": {"national.csv": text}})
    with pytest.raises(Conflict, match="under another name"):
        apply_offer(home, same)
    assert (home / "wanmi.toml").read_text() == before
    assert above.post(OFFERS, json=theirs | {"files": {"x.toml": ""}}).status_code == 422
    id_ = offer(above, theirs)
    assert "许昌市考核指标" in wanmi(home, "link", "offers")
    wanmi(home, "link", "apply", id_, "--yes")
    assert "upper_pack = xuchang" in str(state_of(above, id_)["note"])
    assert [pack.id for pack in packs_in_force(home, load(home).scoring)] == ["national", "xuchang"]
    for offered in (wrong, same):
        wanmi(home, "link", "decline", offered, "--reason", "有误")
