"""How a NovaStar box is asked: serial numbers, matching of answers, refusals, brightness in its own numbers."""

from __future__ import annotations

from devices.codecs import novastar
from devices.codecs.novastar import ALL_BOARDS, ALL_PORTS, DONE, NOT_REACHED, Decoder, Frame
from devices.drivers.interface import Line
from devices.drivers.novastar_tables import Register
from devices.drivers.options import ask_again
from devices.errors import DeviceRefused, NoAnswer

BITS_PER_BYTE = 10
Panel = tuple[int, int]
"""Output and index in its chain."""


class Box:
    """A box on the line. Only registers of the table can be asked, and written only where the table says so."""

    def __init__(self, destination: int, seconds: float, tries: int) -> None:
        self._destination = destination
        self._seconds = seconds
        self._tries = tries
        self._serials = Serials()

    def exchange(
        self, line: Line, register: Register, panel: Panel, data: bytes | None, tries: int | None = None
    ) -> Frame:
        """Ask a register, or put data into it.

        Raises:
            NoAnswer: the box is silent, or the line too noisy. PanelUnreachable, DeviceRefused: the box says so.
        """
        if register.access == ("write" if data is None else "read"):
            raise ValueError(f"the table does not allow this with the register {register.name}")
        answer = ask_again(tries or self._tries, lambda: self._ask(line, register, panel, data))
        if answer.ack == NOT_REACHED:
            raise unreachable(panel)
        if answer.ack != DONE:
            raise DeviceRefused(
                f"发送盒拒绝了命令 (应答 {answer.ack});该型号可能没有此功能。",
                f"The box refused the command (ack {answer.ack}); this model may not have it.",
                ack=answer.ack,
            )
        return answer

    def _ask(self, line: Line, register: Register, panel: Panel, data: bytes | None) -> Frame:
        serial = self._serials.take()
        where = {"serial": serial, "device_type": register.device_type, "port": panel[0], "board": panel[1]}
        if data is None:
            request = novastar.read_request(register.address, register.length, destination=self._destination, **where)
        else:
            request = novastar.write_request(register.address, data, destination=self._destination, **where)
        decoder = Decoder(longest=register.length)
        patience = self._seconds + (novastar.WRAPPING + register.length) * BITS_PER_BYTE / line.rate
        try:
            answer = line.ask(novastar.encode(request), decoder.feed, lambda frame: answers(frame, request), patience)
        except NoAnswer:
            late = [frame for frame in decoder.rest() if answers(frame, request)]
            if not late:
                raise
            answer = late[0]
        self._serials.done(serial)
        if answer.ack in (novastar.BAD_SUM, novastar.BAD_SUM_BEHIND):
            raise NoAnswer(
                f"发送盒报告校验错误 (应答 {answer.ack});线路有干扰,请检查接地和网线。",
                f"The box reports a wrong sum (ack {answer.ack}): a noisy line; check ground and cables.",
                heard=True,
            )
        return answer


class PanelUnreachable(DeviceRefused):
    """The box is well, the panel behind it does not answer."""


def unreachable(panel: Panel) -> PanelUnreachable:
    """The refusal that names the panel, counted from 1 as on the boxes."""
    port, board = panel
    where_zh = "全部输出口" if port == ALL_PORTS else f"输出口 {port + 1}"
    where_zh += " 全部" if board == ALL_BOARDS else f" 第 {board + 1} 块"
    where_en = "all panels" if board == ALL_BOARDS else f"panel {board + 1}"
    where_en += " on all outputs" if port == ALL_PORTS else f" on output {port + 1}"
    return PanelUnreachable(
        f"屏体接收卡不可达 ({where_zh});串口正常,请检查屏体供电和网线。",
        f"Panel not reachable ({where_en}); the serial line is well: check the panel's power and network cable.",
        reason="panel-unreachable",
    )


def answers(frame: Frame, request: Frame) -> bool:
    """Whether a frame answers a request: serial number, device type, address, and all that was asked for."""
    same = (frame.serial, frame.device_type, frame.address, frame.code)
    if frame.is_request or same != (request.serial, request.device_type, request.address, request.code):
        return False
    return request.code == novastar.WRITE or frame.ack != DONE or len(frame.data) == request.length


def raw(brightness: int) -> int:
    """0-100 as a box writes it, 0-255; `percent` is its inverse."""
    return (brightness * 255 + 50) // 100


def percent(written: int) -> int:
    """0-255 as 0-100, to the nearest."""
    return (written * 100 + 127) // 255


class Serials:
    """Serial numbers 0-255 for requests; one that is still unanswered is not used again while another is free."""

    def __init__(self) -> None:
        self._next = 0
        self._outstanding: list[int] = []

    def take(self) -> int:
        """A number that no request without answer has."""
        if len(self._outstanding) >= 255:
            del self._outstanding[0]
        while self._next in self._outstanding:
            self._next = (self._next + 1) % 256
        taken, self._next = self._next, (self._next + 1) % 256
        self._outstanding.append(taken)
        return taken

    def done(self, serial: int) -> None:
        """It was answered."""
        if serial in self._outstanding:
            self._outstanding.remove(serial)
