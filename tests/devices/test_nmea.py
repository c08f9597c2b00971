"""Receivers: recorded ones give the fixes that gpsd gives; what cannot be never becomes a fix."""

from __future__ import annotations

import json
import random
import re
from datetime import date
from pathlib import Path

import pynmeagps
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devices.codecs.nmea import dates
from devices.codecs.nmea.epoch import Assembler, Decoder, Report
from devices.codecs.nmea.framing import LONGEST, Framer, Sentence, encode, parse
from devices.codecs.nmea.sky import KEPT_REPORTS, SATELLITES_AT_MOST, SETS_AT_MOST
from devices.drivers.gnss import Gnss
from tests.fuzz.nmea import check_nmea
from tests.shared import shared

LOGS = (
    "beidou-bd", "beidou-gb", "skytraq", "skytraq-fixB", "gp-320fw-2019-04-07-coldboot", "nmea-fuzzy-cases",
    "mtk-3329", "ublox-lea-4s",
)  # fmt: skip
NEAR = 2e-7
TAKEN_APART = 0.05
"""gpsd drops a few positions that it thinks inconsistent (gnss.md)."""


def bytes_of(log: Path) -> bytes:
    """What a recorded receiver sent: everything but the comments."""
    return b"".join(line for line in log.read_bytes().splitlines(keepends=True) if not line.startswith(b"#"))


def expected(log: Path) -> list[Report]:
    """gpsd's reports of a log."""
    text = log.with_name(log.name + ".chk").read_text(encoding="utf-8", errors="replace")
    found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [report for report in found if report["class"] == "TPV"]


def fixes(reports: list[Report]) -> list[Report]:
    return [report for report in reports if report["class"] == "TPV" and "lat" in report]


def missing(reports: list[Report], others: list[Report]) -> list[Report]:
    """Positions of the first that are nowhere in the second."""
    return [
        one
        for one in fixes(reports)
        if not any(abs(one["lat"] - other["lat"]) <= NEAR and abs(one["lon"] - other["lon"]) <= NEAR
                   for other in fixes(others))
    ]  # fmt: skip


def decoded(data: bytes, size: int = 64) -> tuple[list[Report], Decoder]:
    """Reports of a stream that comes in pieces; the epoch that was never completed is left out."""
    decoder = Decoder()
    return [report for at in range(0, len(data), size) for report in decoder.feed(data[at : at + size])], decoder


@pytest.mark.parametrize("name", LOGS)
def test_a_recorded_receiver_gives_the_fixes_that_gpsd_gives(name: str) -> None:
    log = shared(f"devices/gnss-logs/{name}.log")
    reports, _ = decoded(bytes_of(log))
    wanted = expected(log)
    odd = missing(reports, wanted)
    assert len(odd) <= TAKEN_APART * len(fixes(reports)), odd
    last = fixes(wanted)[-1:]
    lost = missing(wanted, reports)
    assert all(missing([one], last) == [] for one in lost), lost
    assert bool(fixes(reports)) == bool(fixes(wanted))
    told = {report["time"] for report in reports if "time" in report}
    theirs = [report["time"] for report in wanted if "time" in report]
    last_time = theirs[-1:]
    assert {time[10:] for time in theirs if time not in last_time} <= {time[10:] for time in told}
    if "coldboot" not in name:
        assert {time for time in theirs if time not in last_time} <= told
    assert {report["mode"] for report in fixes(reports)} <= {report["mode"] for report in fixes(wanted)}


@pytest.mark.parametrize("name", ["mtk-3329", "nmea-fuzzy-cases", "skytraq-fixB"])
def test_speed_track_height_and_error_are_gpsd_s(name: str) -> None:
    log = shared(f"devices/gnss-logs/{name}.log")
    mine = {report["time"]: report for report in decoded(bytes_of(log))[0] if "time" in report}
    theirs = {report["time"]: report for report in expected(log) if "time" in report}
    compared = 0
    for time in mine.keys() & theirs.keys():
        for key, near in (("speed", 0.002), ("track", 0.01), ("altMSL", 0.01), ("altHAE", 0.01), ("epv", 0.01)):
            if key in theirs[time] and key in mine[time]:
                assert mine[time][key] == pytest.approx(theirs[time][key], abs=near), (time, key)
                compared += 1
        if "eph" in theirs[time] and mine[time].get("status", 1) != 3:
            assert mine[time]["eph"] == pytest.approx(theirs[time]["eph"], abs=0.01), time
            compared += 1
    assert compared >= 8


def test_a_receiver_that_speaks_another_language_gives_nothing() -> None:
    data = shared("devices/gnss-logs/ublox-neo-m8n.log").read_bytes()
    reports, decoder = decoded(data)
    assert reports == []
    assert decoder.accepted == 0
    assert decoder.rejected > 0


def test_beidou_satellites_have_beidou_s_numbers() -> None:
    for name in ("beidou-bd", "beidou-gb"):
        log = shared(f"devices/gnss-logs/{name}.log")
        text = log.with_name(log.name + ".chk").read_text(encoding="utf-8")
        theirs = {int(number) for number in re.findall(r'"PRN":(\d+)', text)}
        reports, _ = decoded(bytes_of(log))
        seen = {item["PRN"] for report in reports if report["class"] == "SKY" for item in report.get("satellites", ())}
        assert seen == theirs
        assert any(number > 400 for number in seen)


def test_the_fields_are_what_another_decoder_reads() -> None:
    """pynmeagps reads every RMC and GGA of the logs; position, speed and time must be the same."""
    compared = 0
    for name in LOGS:
        for line in bytes_of(shared(f"devices/gnss-logs/{name}.log")).splitlines():
            sentence = parse(line.partition(b"$")[2])
            if sentence is None or sentence.kind != "RMC" or sentence.fields[1] != "A":
                continue
            written = encode(sentence.talker, sentence.kind, sentence.fields)
            theirs = pynmeagps.NMEAReader.parse(written)
            mine = fixes(Decoder().feed(written + encode("GP", "ZDA", ("000000", "", "", ""))))
            assert mine[0]["lat"] == pytest.approx(theirs.lat, abs=1e-9)
            assert mine[0]["lon"] == pytest.approx(theirs.lon, abs=1e-9)
            assert mine[0]["time"][11:19] == theirs.time.isoformat()[:8]
            compared += 1
    assert compared > 30


GOOD = ("123519.00", "A", "3409.5700", "N", "11328.2960", "E", "2.5", "90.0", "261126", "", "", "A")


def rmc(**changed: str) -> bytes:
    """A recommended minimum with some fields changed: time, status, lat, ns, lon, ew, speed, track, date, mode."""
    names = ("time", "status", "lat", "ns", "lon", "ew", "speed", "track", "date", "magvar", "side", "mode")
    return encode("GN", "RMC", [changed.get(name, value) for name, value in zip(names, GOOD, strict=True)])


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "V"}, {"mode": "N"}, {"lat": ""}, {"lon": ""}, {"lat": "9541.0000"}, {"lat": "9000.0001"},
        {"lat": "3475.0000"}, {"lon": "18000.0001"}, {"lon": "20000.0000"}, {"time": "256060"}, {"time": "246000"},
        {"time": "236060"}, {"time": "235961"}, {"date": "310226"}, {"date": "001326"}, {"lat": "nan"},
        {"lon": "inf"}, {"lat": "1e3"}, {"ns": "X"}, {"ew": "NS"}, {"speed": "9999"}, {"speed": "-1"},
        {"track": "361"}, {"lat": "34 9.57"}, {"lat": "3_09.57"},
    ],
)  # fmt: skip
def test_empty_and_impossible_values_never_become_a_fix(changed: dict[str, str]) -> None:
    decoder = Decoder()
    assert fixes(decoder.feed(rmc(**changed)) + decoder.flush()) == []


def test_a_leap_second_is_a_time_and_an_empty_fix_is_no_zero() -> None:
    decoder = Decoder()
    told = fixes(decoder.feed(rmc(time="235960.00")) + decoder.flush())
    assert told[0]["time"] == "2026-11-26T23:59:60.000Z"
    empty = encode("GN", "GGA", ("123519.00", "", "", "", "", "0", "00", "", "", "M", "", "M", "", ""))
    assert fixes(decoder.feed(empty) + decoder.flush()) == []


@pytest.mark.parametrize(
    "line",
    [b"$GNRMC,123519.00,A", rmc()[:-4] + b"\r\n", rmc().replace(b"*", b"*1"), rmc().upper().replace(b"A,", b"B,", 1)],
)
def test_a_damaged_sentence_is_counted_and_not_guessed(line: bytes) -> None:
    decoder = Decoder()
    assert decoder.feed(line.rstrip() + b"\r\n") + decoder.flush() == []
    assert decoder.rejected == 1


def test_sentences_of_one_moment_make_one_report_and_void_outweighs_a_position() -> None:
    place = ("3409.5700", "N", "11328.2960", "E")
    gga = encode("GN", "GGA", ("123519.00", *place, "1", "09", "0.9", "112.0", "M", "-16.0", "M", "", ""))
    later = rmc(time="123520.00")
    one = [report for report in Decoder().feed(gga + rmc() + later) if report["class"] == "TPV"]
    assert len(one) == 1
    assert one[0]["mode"] == 3
    assert one[0]["speed"] == pytest.approx(1.286)
    void = [report for report in Decoder().feed(gga + rmc(status="V") + later) if report["class"] == "TPV"]
    assert [report["mode"] for report in void] == [1]


def test_the_last_sentence_of_an_epoch_is_learned_so_that_a_fix_does_not_wait_for_the_next_second() -> None:
    decoder, told = Decoder(), []
    for second in range(6):
        time = f"1235{second:02}.00"
        gga = ("3409.5700", "N", "11328.2960", "E", "1", "09", "0.9", "112.0", "M", "-16.0", "M", "", "")
        decoder.feed(encode("GN", "GGA", (time, *gga)))
        told += [report["time"] for report in decoder.feed(rmc(time=time)) if report["class"] == "TPV"]
    assert told[-1] == "2026-11-26T12:35:05.000Z"


def gsv(parts: int, part: int, *numbers: int, talker: str = "GP", signal: str = "1") -> Sentence:
    satellites = [field for number in numbers for field in (f"{number:02}", "40", "083", "46")]
    return Sentence(talker, "GSV", (str(parts), str(part), "12", *satellites, signal))


def seen_by(assembler: Assembler) -> set[int]:
    """The numbers of the satellites that are known."""
    return {item["PRN"] for item in assembler.sky.report().get("satellites", ())}


@pytest.mark.parametrize("order", [(1, 3), (1, 2, 2, 3), (2, 3), (1, 3, 2), (1, 2, 1, 3)])
def test_a_list_of_satellites_with_a_missing_or_repeated_part_is_none(order: tuple[int, ...]) -> None:
    assembler = Assembler()
    for part in order:
        assembler.add(gsv(3, part, part * 4))
    assert seen_by(assembler) == set()
    for part in (1, 2, 3):
        assembler.add(gsv(3, part, part * 4))
    assert seen_by(assembler) == {4, 8, 12}


def test_hostile_talkers_signals_and_satellites_fill_no_memory_and_are_forgotten() -> None:
    assembler, letters = Assembler(), "ABCDEFGHJK"
    for talker in (one + other for one in letters for other in letters):
        assembler.add(gsv(2, 1, 1, 2, talker=talker, signal=talker))
        assembler.add(gsv(1, 1, *range(1, 30), talker=talker, signal=f"{talker}2"))
        assembler.add(Sentence(talker, "GSA", ("A", "3", *["01"] * 12, "1.8", "0.9", "1.5")))
    assembler.add(gsv(1, 1, *range(1, 90), signal="9"))
    sky = assembler.sky
    assert [len(kept.known) for kept in (sky._parts, sky._lists, sky._used)] == [SETS_AT_MOST] * 3
    assert max(map(len, sky._lists.known.values())) <= SATELLITES_AT_MOST
    for second in range(KEPT_REPORTS + 1):
        for sentence in Framer().feed(rmc(time=f"12{second // 60:02}{second % 60:02}.00")):
            assembler.add(sentence)
    assembler.flush()
    assert [len(kept.known) for kept in (sky._parts, sky._lists, sky._used)] == [0] * 3


def test_what_a_system_told_of_the_sky_is_forgotten_when_it_tells_nothing_any_more() -> None:
    """The antenna sees BeiDou no more; GPS goes on."""
    decoder, told = Decoder(), []
    gsa = encode("GN", "GSA", ("A", "3", "01", *[""] * 11, "1.8", "0.9", "1.5"))
    data = encode("BD", "GSV", ("1", "1", "01", "01", "60", "090", "42")) + gsa
    for second in range(KEPT_REPORTS + 3):
        gps = encode("GP", "GSV", ("1", "1", "01", "05", "60", "090", "42"))
        told += decoder.feed(data + rmc(time=f"12{second // 60:02}{second % 60:02}.00") + gps)
        data = b""
    skies = [report for report in told if report["class"] == "SKY"]
    assert {item["PRN"] for item in skies[-5]["satellites"]} == {5, 401}
    assert {item["PRN"] for item in skies[-1]["satellites"]} == {5}
    assert "hdop" in skies[-5]
    assert skies[-1].keys().isdisjoint(("pdop", "hdop", "vdop"))


def test_a_receiver_whose_port_was_opened_again_tells_its_health_anew_wherever_it_is() -> None:
    receiver = Gnss()
    first = receiver.heard(rmc(), 1.0) + receiver.heard(rmc(time="123520.00"), 2.0)
    assert [event.facts["state"] for event in first if event.kind == "HEALTH"] == ["2d"]
    receiver.opened()
    assert receiver.health == "silent"
    far = [event for second in (21, 22, 23)
           for event in receiver.heard(rmc(time=f"1235{second}.00", lat="3809.5700"), second - 18.0)]  # fmt: skip
    assert [event.facts["plausible"] for event in far if "lat" in event.facts][:2] == [True, True]
    assert [event.facts["state"] for event in far if event.kind == "HEALTH"] == ["2d"]


def test_positions_that_were_not_measured_are_shown_and_not_trusted() -> None:
    for mode, status in (("E", 6), ("S", 8)):
        decoder = Decoder()
        found = fixes(decoder.feed(rmc(mode=mode)) + decoder.flush())[0]
        assert (found["measured"], found["status"]) == (False, status)


def test_a_date_an_epoch_ago_is_told_as_it_is_with_the_better_one_beside_it() -> None:
    decoder = Decoder()
    told = fixes(decoder.feed(rmc(date="110407")) + decoder.flush())[0]
    assert told["time"].startswith("2007-04-11")
    assert told["timeBelieved"] is False
    assert told["timeCorrected"].startswith("2026-11-25")
    assert dates.corrected(date(2011, 2, 21)) == date(2030, 10, 7)
    assert dates.corrected(dates.RELEASED) is None
    assert not dates.believed(date(2060, 1, 1))


def test_noise_around_good_sentences_costs_none_of_them() -> None:
    for seed in range(6):
        noise = random.Random(seed)
        good = [rmc(time=f"1235{second:02}.00") for second in range(4)]
        data = noise.randbytes(100_000) + b"\n" + b"".join(good[:3]) + noise.randbytes(50_000) + b"\n" + good[3]
        _, decoder = decoded(data, 997)
        assert decoder.accepted == 4


printable = st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters=",$*")


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3), st.lists(st.text(printable), max_size=20))
@example("RMC", [""])
def test_what_is_encoded_is_read_back(kind: str, fields: list[str]) -> None:
    written = encode("GN", kind, fields)
    assert Framer().feed(written) == [Sentence("GN", kind, tuple(fields) or ())] or not fields


pieces = st.lists(st.one_of(st.binary(max_size=60), st.just(rmc()), st.just(rmc(time="123520.00"))), max_size=12)


@given(st.integers(0, 255), pieces)
def test_pieces_and_noise_change_nothing(cut: int, parts: list[bytes]) -> None:
    check_nmea(bytes((cut,)) + b"".join(parts))


def test_a_stream_without_a_line_end_is_not_kept() -> None:
    framer = Framer()
    for _ in range(100):
        framer.feed(b"$GNRMC" * 200)
        assert framer.held <= 2 * LONGEST
    assert framer.damaged > 0
