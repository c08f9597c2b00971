"""Applying what a platform offered: a calendar is imported (and can be undone), packs are checked and put in force."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import tomlkit

from appliance.codes.book import CodeBook
from appliance.errors import Conflict, Invalid
from appliance.exchange.links import write_private
from appliance.exchange.offers import NEEDED, Offer, decide_offer, find_offer
from appliance.records.acts import append_act
from appliance.records.store import Records
from appliance.scoring.pack import load_pack, national
from appliance.settings import FILE, load
from provisioning.import_files.pipeline import Options, run_import
from provisioning.joining.written import alone, write_settings

PACKS = "packs"


def apply_offer(home: Path, id_: str) -> tuple[Offer, str]:
    """Apply an offer; returns it and a sentence on what was done.

    Raises:
        NotFound: there is none. Conflict: it was decided already. Invalid: its content is refused, and nothing changed.
    """
    offer = find_offer(home, id_)
    if offer.state != "offered":
        raise Conflict(f"下发内容 {id_} 已处理: {offer.state}。", f"The offer {id_} was {offer.state} already.")
    put = {"pack": _put_pack, "indicators": _put_indicators}
    records = Records.open(home)
    try:
        with TemporaryDirectory(dir=home, prefix="offer-") as scratch:
            folder = Path(scratch)
            for name, content in offer.files.items():
                (folder / name).write_text(content, encoding="utf-8", newline="")
            said = (
                _import_calendar(records, folder) if offer.kind == "calendar" else put[offer.kind](home, offer, folder)
            )
        detail = {"kind": offer.kind, "title": offer.title, "link": offer.link}
        records.write(lambda unit: append_act(unit, "technician", "offer.apply", offer.id, detail))
        return decide_offer(home, offer, "applied", said, records.clock.now()), said
    finally:
        records.close()


def decline_offer(home: Path, id_: str, reason: str) -> Offer:
    """Decline an offer; the platform can read the reason.

    Raises:
        NotFound: there is none. Conflict: it was decided already.
    """
    offer = find_offer(home, id_)
    if offer.state != "offered":
        raise Conflict(f"下发内容 {id_} 已处理: {offer.state}。", f"The offer {id_} was {offer.state} already.")
    records = Records.open(home)
    try:
        records.write(lambda unit: append_act(unit, "technician", "offer.decline", offer.id, {"kind": offer.kind}))
        return decide_offer(home, offer, "declined", reason, records.clock.now())
    finally:
        records.close()


def _import_calendar(records: Records, folder: Path) -> str:
    result, _ = run_import(records, "calendar", folder / NEEDED["calendar"][1], Options())
    if result.refusals:
        first = result.refusals[0]
        raise Invalid(
            f"节假日表第 {first['row']} 行 {first['field']}: {first['why']};全部未导入。",
            f"Row {first['row']} of the calendar, {first['field']}: {first['why_en']}; nothing was imported.",
        )
    return f"已导入 {result.added + result.updated} 天 (批次 {result.batch}) / imported, batch {result.batch}"


def _put_pack(home: Path, offer: Offer, folder: Path) -> str:
    """Check a pack as the node would, lay it beside the others and name it in the settings.

    Raises:
        Invalid: file, row and field of the first wrong value.
    """
    CodeBook.national().with_county_pack(folder)
    target = home / PACKS / offer.id
    target.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target)
    before = _set(home, None, "pack", f"{PACKS}/{offer.id}")
    return f"pack = {PACKS}/{offer.id} (原为 / was {before or '-'});重启节点后生效 / in force after a restart"


def _put_indicators(home: Path, offer: Offer, folder: Path) -> str:
    """Check a pack of indicators and let it be computed beside the county's own; old scores keep their pack.

    Raises:
        BadFile: line and reason. Conflict: the county's own pack has this name.
    """
    name = next(each for each in offer.files if NEEDED["indicators"][0].fullmatch(each))
    pack = load_pack(folder / name)
    own = load(home).scoring.pack or national().id
    if pack.id == own:
        raise Conflict(
            f"本县自己的指标包也叫 {own};请上级换一个文件名再下发。",
            f"The county's own pack is named {own} too; ask the platform to offer it under another name.",
        )
    target = home / PACKS / name
    target.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(target, (folder / name).read_bytes())
    before = _set(home, "scoring", "upper_pack", pack.id)
    number = sum(map(len, pack.indicators.values()))
    was = f"[scoring] upper_pack = {pack.id} (原为 / was {before or '-'})"
    return f"{was},{number} 项指标 / indicators;重启节点后生效 / in force after a restart"


def _set(home: Path, table: str | None, name: str, value: str) -> str:
    """Write a setting in place; returns what it was."""
    with alone(home):
        document = tomlkit.parse((home / FILE).read_text(encoding="utf-8"))
        if table is not None and table not in document:
            document[table] = tomlkit.table()
        place = document if table is None else document[table]
        before = str(place.get(name, ""))
        place[name] = value
        write_settings(home, document)
    return before
