"""What the data of an Onbon frame says: commands of the computer, answers of the card, its status and its clock.

Source: "BX-5K/6K user protocol" v1.4, sections 5 to 8. Group and command, then in a request whether an answer is
wanted, in an answer the error; two reserved bytes; what belongs to the command.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

WANTED, NOT_WANTED = 1, 2
PING, STATUS, SET_CLOCK, POWER, BRIGHTNESS, AREAS = (
    (0xA2, 0x00), (0xA1, 0x02), (0xA2, 0x03), (0xA3, 0x00), (0xA3, 0x02), (0xA3, 0x06),
)  # fmt: skip
TAKEN, REFUSED = (0xA0, 0x00), (0xA0, 0x01)
ON, OFF = 1, 2
BY_LEVEL = 1
BRIGHTEST = 15
BUSY = 3
FIXED = 5
CENTURY = 0x20
STATUS_FIXED = 18
BARCODE_BYTES, NETWORK_ID_BYTES = 16, 12


@dataclass(frozen=True, slots=True)
class Request:
    """A command: `kind` is group and command. Some devices in the field put a number into the reserved bytes."""

    kind: tuple[int, int]
    payload: bytes = b""
    answer_wanted: bool = True
    reserved: bytes = bytes(2)

    def data(self) -> bytes:
        """The data of its frame."""
        return bytes((*self.kind, WANTED if self.answer_wanted else NOT_WANTED)) + self.reserved + self.payload


@dataclass(frozen=True, slots=True)
class Answer:
    """What a card answers; `error` 0 is none, see `onbon_errors.csv` beside the driver."""

    kind: tuple[int, int]
    error: int = 0
    payload: bytes = b""
    reserved: bytes = bytes(2)

    def data(self) -> bytes:
        """The data of its frame."""
        return bytes((*self.kind, self.error)) + self.reserved + self.payload


def read_request(data: bytes) -> Request | None:
    """The command in the data of a frame, None where it is none."""
    if len(data) < FIXED or data[2] not in (WANTED, NOT_WANTED):
        return None
    return Request((data[0], data[1]), data[FIXED:], data[2] == WANTED, data[3:FIXED])


def read_answer(data: bytes) -> Answer | None:
    """The answer in the data of a frame, None where it is none."""
    return Answer((data[0], data[1]), data[2], data[FIXED:], data[3:FIXED]) if len(data) >= FIXED else None


@dataclass(frozen=True, slots=True)
class Status:
    """Answer to the status command.

    Attributes:
        level: brightness 0-15.
        clock: the card's own, local time; None when it is no date.
        areas: ids of the dynamic areas that it shows.
    """

    is_on: bool
    level: int
    clock: datetime | None
    programs: int = 0
    program: bytes = bytes(4)
    special_area: int = 0
    pages: int = 0
    areas: tuple[int, ...] = ()
    barcode: bytes = bytes(BARCODE_BYTES)
    network_id: bytes = bytes(NETWORK_ID_BYTES)

    def payload(self) -> bytes:
        """As a card writes it: year with the century first, weekday before the hour."""
        moment = self.clock
        time = bytes(8)
        if moment is not None:
            weekday = _bcd(moment.isoweekday())
            time = _year(moment)[::-1] + _bcd(moment.month, moment.day) + weekday + _time_of_day(moment)
        return (
            bytes((ON if self.is_on else OFF, self.level)) + time + bytes((self.programs,)) + self.program
            + bytes((self.special_area, self.pages, len(self.areas), *self.areas)) + self.barcode + self.network_id
        )  # fmt: skip


def read_status(payload: bytes) -> Status | None:
    """The status in an answer; None when it is too short. Barcode and network id may be missing."""
    if len(payload) < STATUS_FIXED or len(payload) < STATUS_FIXED + payload[STATUS_FIXED - 1]:
        return None
    after = STATUS_FIXED + payload[STATUS_FIXED - 1]
    return Status(
        is_on=payload[0] == ON,
        level=payload[1],
        clock=_status_clock(payload[2:10]),
        programs=payload[10],
        program=payload[11:15],
        special_area=payload[15],
        pages=payload[16],
        areas=tuple(payload[STATUS_FIXED:after]),
        barcode=payload[after : after + BARCODE_BYTES],
        network_id=payload[after + BARCODE_BYTES :][:NETWORK_ID_BYTES],
    )


def clock_payload(moment: datetime) -> bytes:
    """Set the clock: year low, year high, month, day, hour, minute, second, weekday 1-7 with 7 Sunday, all BCD."""
    return _year(moment) + _bcd(moment.month, moment.day) + _time_of_day(moment) + _bcd(moment.isoweekday())


def read_clock_payload(payload: bytes) -> datetime | None:
    """The time in a set-clock command, None when it is none."""
    if len(payload) != 8:
        return None
    return _moment(payload[1:2] + payload[0:1] + payload[2:7])


def _status_clock(time: bytes) -> datetime | None:
    year = time[:2] if time[0] == CENTURY else time[1::-1]
    return _moment(year + time[2:4] + time[5:8])


def _moment(digits: bytes) -> datetime | None:
    """From century, year, month, day, hour, minute, second in BCD."""
    try:
        return datetime.strptime(digits.hex(), "%Y%m%d%H%M%S")
    except ValueError:
        return None


def _year(moment: datetime) -> bytes:
    return _bcd(moment.year % 100, moment.year // 100)


def _time_of_day(moment: datetime) -> bytes:
    return _bcd(moment.hour, moment.minute, moment.second)


def _bcd(*numbers: int) -> bytes:
    return bytes(number // 10 << 4 | number % 10 for number in numbers)
