"""The settings of what hangs on serial ports: `[[devices]]`, `[agent]`, `[light]`, `[strip]`, `[messages]`.

Which drivers and options there are is the business of `devices/`; here stands what every device has.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from appliance.messages.rules import RuleError, check_words

NAME = r"^[a-z0-9][a-z0-9_-]{0,39}$"
EVENTS = ("dispatch", "overdue", "supervise", "emergency", "emergency_over")
HOST = re.compile(r"[0-9a-z](?:[0-9a-z.-]*[0-9a-z])?|[0-9a-f:]+")
TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


def wrong(zh: str, en: str) -> PydanticCustomError:
    """A refusal of a value, in both languages."""
    return PydanticCustomError("wanmi", "{en}", {"zh": zh, "en": en})


def _is_address(text: str) -> bool:
    try:
        found = urlsplit(text)
        port_fits = found.port is None or found.port > 0
    except ValueError:
        return False
    host = found.hostname or ""
    return found.scheme in ("http", "https") and HOST.fullmatch(host) is not None and port_fits and text.isprintable()


class Strict(BaseModel):
    """A block of settings in which a misspelt key is refused."""

    model_config = ConfigDict(extra="forbid")


class Device(Strict):
    """One device. `port` is its lasting name (`/dev/serial/by-id/…`); `baud` "auto" finds the rate."""

    name: str = Field(pattern=NAME)
    driver: str = Field(min_length=1, max_length=40)
    port: str = Field(min_length=1, max_length=300)
    baud: int | Literal["auto"] = "auto"
    framing: Literal["8N1", "7E1", "8E1", "7O1"] | None = None
    enabled: bool = True
    options: dict[str, Any] = {}

    @field_validator("baud")
    @classmethod
    def _baud_is_a_rate(cls, baud: int | str) -> int | str:
        if isinstance(baud, int) and not 300 <= baud <= 4_000_000:
            raise wrong(f"波特率须在 300 到 4000000 之间,得到 {baud}", f"baud is 300 to 4000000, got {baud}")
        return baud


class Agent(Strict):
    """The device agent: where its node is, and how often it asks a device how it is."""

    node: str = "http://127.0.0.1:8411"
    key_file: str = "keys/agent.key"
    poll_seconds: float = Field(default=30, ge=1)
    spooled_positions: int = Field(default=1_000_000, ge=1000)


class Light(Strict):
    """Brightness of the walls and signs by the hour.

    Attributes:
        devices: names; empty means every device that has a brightness.
        hours: from this time of day this brightness (0 to 100).
        sun: by sunrise and sunset instead: `day` and `night` brightness, dusk and dawn in between.
        dark: from, to: the devices are blank at night.
        longitude, latitude: for the sun; of the county's seat.
    """

    enabled: bool = False
    devices: list[str] = []
    hours: list[tuple[str, int]] = [("07:00", 80), ("19:00", 40), ("22:00", 20)]
    sun: bool = False
    day: int = Field(default=80, ge=0, le=100)
    night: int = Field(default=25, ge=0, le=100)
    dark: tuple[str, str] | None = None
    longitude: float | None = Field(default=None, ge=-180, le=180)
    latitude: float | None = Field(default=None, ge=-90, le=90)

    @model_validator(mode="after")
    def _sun_has_a_place(self) -> Light:
        if self.sun and (self.longitude is None or self.latitude is None):
            raise wrong("sun 需要 longitude 和 latitude", "sun needs longitude and latitude")
        return self

    @field_validator("hours")
    @classmethod
    def _hours_rise(cls, hours: list[tuple[str, int]]) -> list[tuple[str, int]]:
        bad = [time for time, percent in hours if not TIME.fullmatch(time) or not 0 <= percent <= 100]
        if bad or not hours or any(one[0] >= other[0] for one, other in pairwise(hours)):
            raise wrong(
                '亮度时段须为 ["07:00", 0 到 100],按时间先后排列',
                'the hours of light are ["07:00", 0 to 100], one after the other',
            )
        return hours

    @field_validator("dark")
    @classmethod
    def _dark_has_times(cls, dark: tuple[str, str] | None) -> tuple[str, str] | None:
        if dark is not None and (dark[0] == dark[1] or not all(TIME.fullmatch(time) for time in dark)):
            raise wrong('熄屏时段须为 ["23:00", "06:00"]', 'the dark hours are written ["23:00", "06:00"]')
        return dark


class Strip(Strict):
    """The text on signs: lines with live figures, changed when the figures change.

    `{reported}`, `{closed}`, `{open}`, `{overdue}` of today, `{rate}` on time this month, `{county}`, `{time}`.
    """

    enabled: bool = False
    devices: list[str] = []
    text: str = "{county}城管 今日上报{reported}件 结案{closed}件 超期{overdue}件 按时率{rate}"
    seconds: float = Field(default=10, ge=1)
    notice_minutes: float = Field(default=30, gt=0, le=7 * 24 * 60)


class Messages(Strict):
    """Text messages and a webhook to departments that sit at no screen: on dispatch, when overdue, under supervision.

    Attributes:
        channels: sms (a modem of the agent sends it), webhook; none: no messages are written.
        events: dispatch, overdue, supervise; those that are told of.
        texts: the county's own words for an event; fields as in `appliance/messages/rules.csv`.
        webhook: address that a message is posted to as JSON, signed with the secret in `webhook_secret_file`.
        emergency_webhook: address that hears at once of cases which the office marks as emergencies, signed likewise.
        tries: after so many failures a message is given up and told to the technician.
    """

    channels: list[Literal["sms", "webhook"]] = []
    events: list[Literal["dispatch", "overdue", "supervise"]] = ["dispatch", "overdue", "supervise"]
    texts: dict[str, str] = {}
    webhook: str = ""
    emergency_webhook: str = ""
    webhook_secret_file: str = "keys/webhook.secret"
    tries: int = Field(default=6, ge=1, le=50)
    kept_days: float = Field(default=180, gt=0)

    @field_validator("texts")
    @classmethod
    def _texts_are_filled(cls, texts: dict[str, str]) -> dict[str, str]:
        for event, words in texts.items():
            if event not in EVENTS:
                known = ", ".join(EVENTS)
                raise wrong(f"没有事件 {event};可用: {known}", f"there is no event {event}; known: {known}")
            try:
                check_words(words)
            except RuleError as error:
                raise wrong(f"{event} 的文字不对: {error}", f"the words of {event} are wrong: {error}") from None
        return texts

    @field_validator("webhook", "emergency_webhook")
    @classmethod
    def _webhook_is_http(cls, address: str) -> str:
        if address and not _is_address(address):
            raise wrong(f"webhook 须为 http(s) 地址,得到 {address}", f"webhook is an http(s) address, got {address}")
        return address

    @model_validator(mode="after")
    def _webhook_has_an_address(self) -> Messages:
        if "webhook" in self.channels and not self.webhook:
            raise wrong("开通 webhook 须写明地址 webhook", "the channel webhook needs its address in webhook")
        return self
