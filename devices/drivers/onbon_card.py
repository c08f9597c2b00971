"""How an Onbon card is asked: commands of the table only, answers matched by address, busy waited out, errors told."""

from __future__ import annotations

from functools import cache

from devices.codecs import onbon
from devices.codecs.onbon import Decoder, Frame
from devices.codecs.onbon_commands import BUSY, REFUSED, TAKEN, Answer, Request, read_answer
from devices.drivers.csv_tables import read_table
from devices.drivers.interface import Line
from devices.drivers.options import ask_again
from devices.errors import DeviceRefused, NoAnswer

BITS_PER_BYTE = 10
LONGEST_ANSWER = 128
WRONG_CHECK = 5
BUSY_TIMES = 10
BUSY_SECONDS = 0.2
Told = tuple[Frame, Answer]


@cache
def commands() -> dict[str, tuple[int, int]]:
    """Group and command by name: all that can be sent.

    Raises:
        TableError: the table is wrong.
    """
    rows = read_table("onbon_commands.csv", ("name", "group", "command", "reads"), unique="name")
    for row in rows:
        row.one_of("reads", ("yes", "no"))
    return {row["name"]: (row.number("group", 0xA0, 0xAF), row.number("command", 0, 0xFF)) for row in rows}


@cache
def errors() -> dict[int, tuple[str, str]]:
    """Sentences for the card's error numbers.

    Raises:
        TableError: the table is wrong.
    """
    rows = read_table("onbon_errors.csv", ("code", "zh", "en"), unique="code")
    return {row.number("code", 1, 0xFF): (row["zh"], row["en"]) for row in rows}


@cache
def _models() -> dict[int, str]:
    rows = read_table("onbon_models.csv", ("model", "code"), unique="code")
    return {row.number("code", 1, 0xFF): row["model"] for row in rows}


def model_name(code: int) -> str | None:
    """The model of a device type, None where it says "any" or is unknown."""
    return _models().get(code)


class Card:
    """A card on the line."""

    def __init__(self, address: int, seconds: float, tries: int) -> None:
        self._address = address
        self._seconds = seconds
        self._tries = tries

    def ask(self, line: Line, name: str, payload: bytes = b"", tries: int | None = None) -> Told:
        """Send a command of the table and take its answer; a busy card is asked again for about two seconds.

        Raises:
            NoAnswer: the card is silent, or the line too noisy. DeviceRefused: the card says no.
        """
        request = Request(commands()[name], payload)
        for _ in range(BUSY_TIMES):
            frame, answer = ask_again(tries or self._tries, lambda: self._once(line, request))
            if answer.kind != REFUSED:
                return frame, answer
            if answer.error != BUSY:
                break
            line.read(BUSY_SECONDS)
        zh, en = errors().get(answer.error, ("原因不明", "the reason is unknown"))
        raise DeviceRefused(
            f"控制卡拒绝了命令: {zh} (错误 {answer.error})。",
            f"The card refused the command: {en} (error {answer.error}).",
            error=answer.error,
        )

    def _once(self, line: Line, request: Request) -> Told:
        wire = onbon.encode(Frame(self._address, onbon.COMPUTER, request.data()))
        decoder = Decoder()

        def decode(data: bytes) -> list[Told]:
            return [(frame, answer) for frame in decoder.feed(data) if (answer := read_answer(frame.data)) is not None]

        patience = self._seconds + LONGEST_ANSWER * BITS_PER_BYTE / line.rate
        told = line.ask(wire, decode, lambda found: self._answers(request, *found), patience)
        if told[1].kind == REFUSED and told[1].error == WRONG_CHECK:
            raise NoAnswer(
                "控制卡收到的数据校验错误;线路有干扰,请检查接地和接线。",
                "The card got a wrong check value: a noisy line; check ground and wiring.",
                heard=True,
            )
        return told

    def _answers(self, request: Request, frame: Frame, answer: Answer) -> bool:
        """From our card (or one that was called by "all"), to us, and either the wanted answer or a plain one."""
        from_it = onbon.BROADCAST_ANSWERED in (self._address, frame.source) or frame.source == self._address
        return frame.destination == onbon.COMPUTER and from_it and answer.kind in (request.kind, TAKEN, REFUSED)
