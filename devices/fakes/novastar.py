"""A NovaStar sending box with its panels, played on the same codec: registers, model, panels that are missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from devices.codecs import novastar
from devices.codecs.novastar import (
    ALL_BOARDS,
    ALL_PORTS,
    BAD_COMMAND,
    BAD_SUM,
    DONE,
    NOT_REACHED,
    READ,
    RECEIVING_CARD,
    SENDING_CARD,
    Decoder,
    Frame,
)
from devices.drivers.novastar_box import percent
from devices.drivers.novastar_tables import Register, tables
from devices.errors import BadSetup
from devices.fakes.fake import Fake, Moods
from devices.fakes.options import whole

ANY_BOX = 0xFF
BRIGHTNESS, BLANK, PATTERN, FREEZE, SAVE, MONITORING = (
    0x02000001, 0x02000100, 0x02000101, 0x02000102, 0x01000011, 0x0A000000,
)  # fmt: skip


class Panel:
    """A receiving card: what it shows, and its health."""

    def __init__(self) -> None:
        self.reachable = True
        self.kept: bytes | None = None
        self.registers = {BLANK: 0, PATTERN: 0, FREEZE: 0}
        self.brightness = bytearray((255, 255, 255, 255, 255))
        self.half_degrees = 72
        self.tenths_of_volts = 48

    def read(self, address: int, length: int) -> bytes | None:
        """None where there is no such register."""
        if address in self.registers and length == 1:
            return bytes((self.registers[address],))
        if address >= BRIGHTNESS and address + length <= BRIGHTNESS + 5:
            return bytes(self.brightness[address - BRIGHTNESS :][:length])
        if address >= MONITORING and address + length <= MONITORING + 256:
            block = bytes((0x80, self.half_degrees, 0, 0x80 | self.tenths_of_volts)).ljust(256, b"\0")
            return block[address - MONITORING :][:length]
        return None

    def write(self, address: int, data: bytes) -> bool:
        """False where there is no such register."""
        if address in self.registers and len(data) == 1:
            self.registers[address] = data[0]
        elif address >= BRIGHTNESS and address + len(data) <= BRIGHTNESS + 5:
            self.brightness[address - BRIGHTNESS : address - BRIGHTNESS + len(data)] = data
        elif address == SAVE:
            self.kept = bytes(self.brightness)
        else:
            return False
        return True


PORTS_AT_MOST, PANELS_AT_MOST = 255, 1000


class FakeNovaStar(Fake):
    """The box. Options: `model` (a name of the table, or an id), `panels` (on each output), `box` (its place)."""

    key: ClassVar[str] = "novastar"
    rate: ClassVar[int] = 115200

    def __init__(self, moods: Moods | None = None, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(moods, options)
        model = self.options.get("model", "VX4S")
        known = tables().models.get(model) if isinstance(model, str) else None
        self.model_id: int = model if isinstance(model, int) else (known.id if known and known.id else 0x6106)
        family = (known or tables().model_of(self.model_id) or tables().models["VX4S"]).family
        self.box = whole(self, "box", 0, 0, 0xFF)
        counts = _panel_counts(self.options.get("panels", [2]))
        self.panels = {(port, board): Panel() for port, count in enumerate(counts) for board in range(count)}
        self.registers: dict[int, int] = {0x02000017: 1, 0x0200004D: 0b1111101, 0x02000022: 0x5A}
        self.inputs = {code: name for name, code in family.inputs.items()}
        self._input = -1
        if family.input:
            self._input = tables().registers[family.input].address
            self.registers[self._input] = next(iter(family.inputs.values()))
        if family.freeze == "display_mode":
            self.registers[tables().registers["display_mode"].address] = 0
        self._decoder = Decoder()

    def receive(self, data: bytes) -> bytes:
        damaged = self._decoder.damaged
        answers = [self._answer(frame) for frame in self._decoder.feed(data) if frame.is_request]
        spoilt = self._decoder.spoilt
        if self._decoder.damaged > damaged and spoilt is not None and spoilt.is_request:
            answers.append(novastar.encode(novastar.answer_to(spoilt, BAD_SUM)))
        return b"".join(answers)

    def state(self) -> Mapping[str, Any]:
        first = next(iter(self.panels.values()))
        mode = self.registers.get(tables().registers["display_mode"].address, 0)
        patterns = {code: name for name, code in tables().patterns.items()}
        return {
            "brightness": percent(first.brightness[0]),
            "blank": first.registers[BLANK] == 0xFF or mode == 2,
            "frozen": first.registers[FREEZE] == 0xFF or mode == 1,
            "pattern": patterns.get(first.registers[PATTERN], str(first.registers[PATTERN])),
            "input": self.inputs.get(self.registers.get(self._input, -1)),
            "saved": any(panel.kept is not None for panel in self.panels.values()),
            "panels": {f"{port}:{board}": panel.reachable for (port, board), panel in self.panels.items()},
        }

    def _answer(self, frame: Frame) -> bytes:
        if frame.destination not in (self.box, ANY_BOX):
            return b""
        if self.moods.busy > 0:
            self.moods.busy -= 1
            return b""
        ack, data = self._done(frame)
        return novastar.encode(novastar.answer_to(frame, ack, data))

    def _done(self, frame: Frame) -> tuple[int, bytes]:
        """The result of a request, and what was read."""
        if frame.code != READ and self.moods.refusing:
            return BAD_COMMAND, b""
        if frame.device_type == SENDING_CARD:
            return self._of_the_box(frame)
        if frame.device_type != RECEIVING_CARD:
            return BAD_COMMAND, b""
        everybody = frame.board == ALL_BOARDS or frame.port == ALL_PORTS
        meant = [
            panel
            for (port, board), panel in self.panels.items()
            if frame.port in (port, ALL_PORTS) and frame.board in (board, ALL_BOARDS) and panel.reachable
        ]
        if frame.code == READ:
            if everybody or not meant:
                return (BAD_COMMAND if everybody else NOT_REACHED), b""
            found = meant[0].read(frame.address, frame.length)
            return (BAD_COMMAND, b"") if found is None else (DONE, found)
        if not meant and not everybody:
            return NOT_REACHED, b""
        good = [panel.write(frame.address, frame.data) for panel in meant]
        return (DONE if all(good) else BAD_COMMAND), b""

    def _of_the_box(self, frame: Frame) -> tuple[int, bytes]:
        known: dict[str, Register] = tables().registers
        if frame.code == READ:
            if frame.address == known["model"].address:
                return DONE, self.model_id.to_bytes(2, "little")[: frame.length]
            if frame.address == known["version"].address:
                return DONE, bytes((4, 3, 2, 0))[: frame.length]
            if frame.address in self.registers and frame.length == 1:
                return DONE, bytes((self.registers[frame.address],))
            return BAD_COMMAND, b""
        if frame.address in self.registers and len(frame.data) == 1:
            self.registers[frame.address] = frame.data[0]
            return DONE, b""
        return BAD_COMMAND, b""


def _panel_counts(given: object) -> list[int]:
    """How many panels hang on each port of the box.

    Raises:
        BadSetup: it is no such list.
    """
    counts = given if isinstance(given, list | tuple) else []
    if not 1 <= len(counts) <= PORTS_AT_MOST or not all(type(n) is int and 0 <= n <= PANELS_AT_MOST for n in counts):
        raise BadSetup(
            f"模拟设备 novastar 的选项 panels 须为每个网口的屏数,如 [4,4],得到 {given!r}。",
            f"The option panels of the simulated novastar is a list such as [4,4], got {given!r}.",
        )
    return list(counts)
