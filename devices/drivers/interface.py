"""What a driver is: the one interface between a device and everything that uses it. Third parties implement it too.

A driver turns actions of the contract (`identify`, `status`, `brightness` …) into exchanges on a line, and bytes that
a device sends by itself into events. It opens nothing, starts no thread and keeps no time: the owner of the port calls
it, always from the same thread. Entry point group `wanmi.drivers`; a worked example is in `docs/drivers.md`.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

from devices.errors import BadSetup, BadValue, NotSupported

T = TypeVar("T")
Facts = dict[str, Any]
"""What a device told, ready for JSON."""


class Line(Protocol):
    """The open line to a device, as its driver sees it.

    Attributes:
        rate: bits a second.
    """

    rate: int

    def write(self, data: bytes) -> None:
        """Send all of it; raises PortLost when the port went away."""

    def read(self, seconds: float) -> bytes:
        """What comes next; empty after so many seconds of silence."""

    def ask(
        self,
        request: bytes,
        decode: Callable[[bytes], Iterable[T]],
        wanted: Callable[[T], bool],
        seconds: float,
        *,
        keep: bool = False,
    ) -> T:
        """Send a request and wait for its answer.

        What lies on the line from before is thrown away first, and an exact echo of the request (two-wire RS-485) is
        dropped. Whatever `decode` makes of the bytes that come is offered to `wanted` until that agrees.

        Args:
            seconds: how long to wait after the request has left the wire.
            keep: what lies on the line is not thrown away but offered too: the device talks by itself as well.

        Raises:
            NoAnswer: nothing wanted came in time. PortLost: the port went away.
        """


@dataclass(frozen=True, slots=True)
class Action:
    """Something a device can do.

    Attributes:
        name: the contract's word: identify, status, brightness, blank, freeze, pattern, input, clock, text, clear …
        value: what it takes: "" nothing, "0-100" a number, "on|off" one of these words, "TEXT" any text.
        reads: it changes nothing at the device, so a probe and a poll may do it.
    """

    name: str
    value: str
    zh: str
    en: str
    reads: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """A key that the configuration of a device may have, with its default and what it means."""

    default: Any
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something a device told by itself, or a change of its health.

    Attributes:
        kind: TPV, SKY, GST, TXT as in gpsd; HEALTH with `state`; CALL with `number`; what else a driver documents.
        facts: with gpsd's names where gpsd has one.
        at: when its first byte came, in seconds of the clock that `heard` is called with.
    """

    kind: str
    facts: Facts
    at: float


class Driver(ABC):
    """A kind of device. Make one for each device; `options` are the checked values of its configuration.

    Class attributes:
        key: the driver's name in configuration and on the command line.
        rates: bit rates it is found at, the usual one first.
        framing: data bits, parity, stop bits.
        listens: the device talks by itself and is never written to; its rate is found by listening.
        silent_seconds: a listening device that says nothing for so long is unwell, and its port is opened anew.
    """

    key: ClassVar[str]
    zh: ClassVar[str]
    en: ClassVar[str]
    rates: ClassVar[tuple[int, ...]] = (9600,)
    framing: ClassVar[str] = "8N1"
    listens: ClassVar[bool] = False
    silent_seconds: ClassVar[float] = 10.0
    actions: ClassVar[tuple[Action, ...]] = ()
    known_options: ClassVar[Mapping[str, Option]] = {}

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        given = dict(options or {})
        if unknown := sorted(given.keys() - self.known_options.keys()):
            known = "、".join(self.known_options) or "(无)"
            raise BadSetup(
                f"驱动 {self.key} 没有选项 {'、'.join(unknown)};可用: {known}。",
                f"The driver {self.key} has no option {', '.join(unknown)}; known: {', '.join(self.known_options)}.",
            )
        self.options: Facts = {name: given.get(name, option.default) for name, option in self.known_options.items()}

    def opened(self) -> None:  # noqa: B027  # a driver that tells its device nothing lasting needs none
        """The port was opened (again): what the device was told before may be gone."""

    def probe(self, line: Line) -> Facts | None:
        """What answers on the line, None when nothing of this kind does. Frames that only read, nothing else."""
        return None

    def do(self, line: Line, action: str, value: str | None) -> Facts:
        """Do an action and tell what the device answered.

        Raises:
            NotSupported, BadValue: before anything is sent. NoAnswer, DeviceRefused, PortLost: what the device did.
        """
        raise NotSupported(f"{self.zh}不接受命令。", f"{self.en} takes no commands.")

    def poll(self, line: Line) -> Facts:
        """How the device is, asked every so often by the agent; the same as the action `status` by default."""
        return self.do(line, "status", None) if any(action.name == "status" for action in self.actions) else {}

    def heard(self, data: bytes, at: float) -> list[Event]:
        """Events in what the device sent by itself; `at` is seconds of a clock that never goes back."""
        return []

    def quiet(self, at: float) -> list[Event]:
        """Called a quarter of a second after the last byte and then once a second: for what only time tells."""
        return []

    def changes(self, request: bytes) -> bool:
        """Whether a frame of this driver changes something at the device; of several that an action sends, the first
        such one is told as its request."""
        return True

    @property
    def recognised(self) -> int:
        """How many whole, checked frames were heard; a rate is right once this grows."""
        return 0


def check_value(driver: Driver, action: str, value: str | None) -> str:
    """The value of an action, checked against the table of the driver; "" where it takes none.

    Raises:
        NotSupported: the device has no such action. BadValue: the value is missing, or not what the action takes.
    """
    found = next((item for item in driver.actions if item.name == action), None)
    if found is None:
        names = [item.name for item in driver.actions]
        raise NotSupported(
            f"{driver.zh}没有动作 {action};可用: {'、'.join(names)}。",
            f"{driver.en} has no action {action}; it has {', '.join(names)}.",
        )
    given = (value or "").strip() if found.value != "TEXT" else (value or "")
    if not _fits(found.value, given):
        takes_zh, takes_en = (found.value, found.value) if found.value else ("(不带值)", "no value")
        raise BadValue(
            f"{action} 的值须为 {takes_zh},得到 {given or '(空)'}。",
            f"{action} takes {takes_en}, got {given or 'nothing'}.",
        )
    return given


def _fits(form: str, given: str) -> bool:
    if form in ("", "TEXT"):
        return bool(given) == bool(form)
    low, dash, high = form.partition("-")
    if dash and low.isdigit() and high.isdigit():
        return given.isascii() and given.isdigit() and len(given) <= 9 and int(low) <= int(given) <= int(high)
    return given in form.split("|") if "|" in form else bool(given)
