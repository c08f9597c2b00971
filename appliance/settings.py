"""The settings of one node: `wanmi.toml` in its home, each overridable by an environment variable `WANMI_…`.

A home is the whole node; two homes are two nodes.
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from string import Formatter
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from appliance.backup_settings import Backup
from appliance.device_settings import Agent, Device, Light, Messages, Strip, wrong
from appliance.errors import BadHome
from appliance.exchange.settings import Exchange
from appliance.lan import Door
from appliance.scheduling.plan import FORMS, JobPlan
from appliance.sign_in_settings import Privacy, SignIn

DEFAULT_HOME = Path("/var/lib/wanmi")
FILE = "wanmi.toml"
TIME_OF_DAY = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
NUMBER_FIELDS = frozenset(("county", "date", "serial"))
NOT_IN_A_NUMBER = re.compile(r"[\s/?#%,]")
"""A case number stands in addresses and in lists."""


class StageLimits(BaseModel):
    """How long each stage of the platform itself may take, in minutes that run on day and night."""

    accept: float = 30
    verify: float = 24 * 60
    file: float = 30
    dispatch: float = 30
    ask_check: float = 30
    check: float = 120
    close: float = 30
    coordinate: float = 24 * 60


class Desk(BaseModel):
    """How the office works: office hours, duplicates, what a department may ask for, what needs a photo or a call."""

    office_hours: list[tuple[str, str]] = [("08:00", "12:00"), ("14:00", "18:00")]
    yellow_at: float = Field(default=0.8, gt=0, lt=1)
    duplicate_metres: float = Field(default=50, gt=0)
    duplicate_hours: float = Field(default=24, gt=0)
    extensions_at_most: int = 2
    suspension_days_at_most: int = 365
    acceptor_may_check_by_picture: bool = True
    callback_before_close: bool = False
    callback_hours: float = Field(default=48, gt=0)
    case_number: str = "{county}{date:%Y%m%d}{serial:05d}"

    @field_validator("office_hours")
    @classmethod
    def _hours_in_order(cls, windows: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Times like 08:00, each window after the one before; texts of this form sort like the times."""
        times = [written for window in windows for written in window]
        bad = [written for written in times if not TIME_OF_DAY.fullmatch(written)]
        if bad or not times:
            given = "、".join(bad) or "(空)"
            raise wrong(
                f"时刻须写作 08:00 到 24:00,得到 {given}",
                f"times are written 08:00 to 24:00, got {', '.join(bad) or '[]'}",
            )
        closed_first = any(opening >= closing for opening, closing in windows)
        if closed_first or any(before[1] > after[0] for before, after in pairwise(windows)):
            raise wrong(
                "每段须先开后关,各段按先后排列且不重叠",
                "every window must open before it closes, and the windows must follow each other without overlap",
            )
        return windows

    @field_validator("case_number")
    @classmethod
    def _number_counts(cls, form: str) -> str:
        """A form that gives every case a number of its own which fits into an address."""
        day = datetime(2026, 11, 22, 9, 30)  # any day will do
        try:
            fields = {name for _, name, _, _ in Formatter().parse(form) if name is not None}
            known = fields <= NUMBER_FIELDS
            numbers = [form.format(county="411081", date=day, serial=serial) for serial in (1, 2)] if known else []
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            numbers = []
        if not numbers or numbers[0] == numbers[1] or NOT_IN_A_NUMBER.search(numbers[0]):
            raise wrong(
                "须含 {serial},只可用 {county}、{date:%Y%m%d}、{serial:05d},不可含空格和 / ? # % ,",
                "it needs {serial}, may use {county}, {date:%Y%m%d} and {serial:05d}, and no space or / ? # % ,",
            )
        return form


class Turn(BaseModel):
    """One shift of the day; `ends` at or before `begins` means the next day."""

    key: str = Field(pattern=r"^[a-z_]{1,20}$")
    name: str = Field(min_length=1, max_length=20)
    english: str = ""
    begins: str
    ends: str


class Shifts(BaseModel):
    """The shift desk: the turns of a day (早 中 晚), and for how many days telephone calls are kept."""

    turns: list[Turn] = Field(
        default=[
            Turn(key="morning", name="早班", english="Morning", begins="07:00", ends="15:00"),
            Turn(key="afternoon", name="中班", english="Afternoon", begins="15:00", ends="23:00"),
            Turn(key="night", name="晚班", english="Night", begins="23:00", ends="07:00"),
        ],
        min_length=1,
        max_length=9,
    )
    calls_kept_days: float = Field(default=90, gt=0)

    @field_validator("turns")
    @classmethod
    def _turns_are_told_apart(cls, turns: list[Turn]) -> list[Turn]:
        """Keys once each, times of day."""
        bad = [time for turn in turns for time in (turn.begins, turn.ends) if not TIME_OF_DAY.fullmatch(time)]
        bad += [turn.key for turn in turns if turn.begins in (turn.ends, "24:00")]
        bad += sorted({turn.key for turn in turns if [other.key for other in turns].count(turn.key) > 1})
        if bad:
            raise wrong(
                f"班次的时刻须写作 07:00 到 24:00,起止不同,代号各不相同;不对的是 {'、'.join(bad)}",
                f"shifts need times as in 07:00, an end other than the beginning, and keys of their own; wrong: "
                f"{', '.join(bad)}",
            )
        return turns


class Video(BaseModel):
    """The video seat: minutes between two looks by street class, over the table of `appliance/patrols/rounds.csv`."""

    minutes: dict[str, float] = {}

    @field_validator("minutes")
    @classmethod
    def _minutes_pass(cls, minutes: dict[str, float]) -> dict[str, float]:
        bad = [name for name, value in minutes.items() if not value >= 1]
        if bad:
            raise wrong(
                f"巡查间隔至少 1 分钟;不对的是 {'、'.join(bad)}",
                f"a round takes at least one minute; wrong: {', '.join(bad)}",
            )
        return minutes


class Plan(BaseModel):
    """A county's own values of a patrol plan, each over the table of `appliance/patrols/plans.csv`."""

    rounds: int | None = Field(default=None, ge=0, le=24)
    hours_between: float | None = Field(default=None, ge=0, le=24)
    begins: str | None = None
    ends: str | None = None
    share: float | None = Field(default=None, gt=0, le=1)

    @field_validator("begins", "ends")
    @classmethod
    def _time_of_day(cls, written: str | None) -> str | None:
        if written is not None and not TIME_OF_DAY.fullmatch(written):
            raise wrong(f"时刻须写作 08:00 到 24:00,得到 {written}", f"times are written 08:00 to 24:00, got {written}")
        return written


class Patrols(BaseModel):
    """Tracks and walked patrols: how long tracks are kept, plans by class of duty grid, rounds of single duty grids."""

    tracks_kept_days: int = Field(default=62, ge=2, le=3660)
    counted_minutes: float = Field(default=10, gt=0)
    silent_minutes: float = Field(default=30, ge=1)
    plans: dict[str, Plan] = {}
    rounds: dict[str, int] = {}

    @field_validator("rounds")
    @classmethod
    def _rounds_are_few(cls, rounds: dict[str, int]) -> dict[str, int]:
        bad = [code for code, number in rounds.items() if not 0 <= number <= 24]
        if bad:
            raise wrong(
                f"每日巡查 0 到 24 次;不对的是 {'、'.join(bad)}", f"0 to 24 rounds a day; wrong: {', '.join(bad)}"
            )
        return rounds


class Contract(BaseModel):
    """What the county pays by score: the collection contractor's monthly fee, and the units' performance deposits.

    Attributes:
        monthly_fee: in yuan. deposits: by unit, in yuan a month.
        shares: the part of the sum that is paid from a score on, as in `"90" = 1.0`, `"75" = 0.9`.
    """

    contractor: str = ""
    monthly_fee: float = Field(default=0, ge=0)
    deposits: dict[str, float] = {}
    shares: dict[str, float] = {"90": 1.0, "75": 0.95, "60": 0.85, "40": 0.7, "0": 0.5}

    @field_validator("shares")
    @classmethod
    def _parts_of_one(cls, shares: dict[str, float]) -> dict[str, float]:
        bad = [bound for bound, part in shares.items() if not 0 <= part <= 1 or not bound.replace(".", "", 1).isdigit()]
        if bad:
            raise wrong(
                f"下限须为分数,比例 0 到 1;不对的是 {'、'.join(bad)}",
                f"a bound is a score and its part 0 to 1; wrong: {', '.join(bad)}",
            )
        return shares


class Scoring(BaseModel):
    """Evaluation: which packs of indicators count, when periods are closed, which shares a county does not exceed.

    Attributes:
        pack: the county's own pack in `packs/` (its file name without `.csv`); empty for the national one.
        upper_pack: the prefecture's pack in `packs/`, computed beside it; empty for none.
        close_days: a month, quarter or year is closed so many days after its end; days and weeks the next day.
        counted_minutes: a running period is counted anew for its screens when it is older.
        shares: the share of a ledger's cases that the county does not exceed, as in `voided = 0.02`.
        contract: what is paid by score.
    """

    pack: str = ""
    upper_pack: str = ""
    close_days: int = Field(default=5, ge=1, le=60)
    counted_minutes: float = Field(default=10, gt=0)
    shares: dict[str, float] = {}
    contract: Contract = Contract()


class Http(BaseModel):
    """The HTTP node: size limits, rates, what is open without sign-in."""

    evidence_megabytes: int = 20
    body_megabytes: int = 2
    public_requests_per_minute: int = 60
    metrics_open: bool = False
    ogc_open: bool = False
    open311_name: str = "Wanmi"


class Settings(BaseSettings):
    """All settings of a node. A county's own values stand in its home's `wanmi.toml`."""

    model_config = SettingsConfigDict(env_prefix="WANMI_", env_nested_delimiter="__", extra="forbid")

    county: str = Field(pattern=r"^\d{6}$")
    name: str = ""
    edition: Literal["2026", "2013", "2007"] = "2026"
    time_zone: str = "Asia/Shanghai"
    language: Literal["zh", "en"] = "zh"
    database_url: str = ""
    pack: str = ""
    stages: StageLimits = StageLimits()
    desk: Desk = Desk()
    shifts: Shifts = Shifts()
    video: Video = Video()
    patrols: Patrols = Patrols()
    scoring: Scoring = Scoring()
    sign_in: SignIn = SignIn()
    privacy: Privacy = Privacy()
    node: Door = Door()
    http: Http = Http()
    devices: list[Device] = []
    agent: Agent = Agent()
    light: Light = Light()
    strip: Strip = Strip()
    messages: Messages = Messages()
    exchange: Exchange = Exchange()
    backup: Backup = Backup()
    schedule: dict[str, str] = {}
    """Plans of jobs by name, over those of `appliance/scheduling/schedule.csv`."""

    @field_validator("schedule")
    @classmethod
    def _plans_are_plans(cls, plans: dict[str, str]) -> dict[str, str]:
        for name, written in plans.items():
            try:
                JobPlan.parse(written)
            except ValueError as error:
                raise wrong(f"{name} 的 {written!r} 不是计划;可写 {FORMS}", f"{name}: {error}") from None
        return plans

    @field_validator("devices")
    @classmethod
    def _names_once(cls, devices: list[Device]) -> list[Device]:
        names = [device.name for device in devices]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise wrong(f"设备名重复: {'、'.join(twice)}", f"device names given twice: {', '.join(twice)}")
        return devices

    @field_validator("time_zone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise wrong(
                f"没有时区 {name};例如 Asia/Shanghai", f"there is no time zone {name}; write for example Asia/Shanghai"
            ) from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The county's time zone."""
        return ZoneInfo(self.time_zone)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file (which comes in as init values)."""
        return env_settings, init_settings


def home_path(given: str | os.PathLike[str] | None = None) -> Path:
    """The home: the one given, else `WANMI_HOME`, else `/var/lib/wanmi`."""
    return Path(given or os.environ.get("WANMI_HOME") or DEFAULT_HOME)


def load(home: Path) -> Settings:
    """The settings of a home.

    Raises:
        BadHome: there is no `wanmi.toml`, or a value in it is wrong (the key is named).
    """
    path = home / FILE
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadHome(
            f"{home} 里没有 {FILE};请先运行 wanmi init --county 代码 --home {home}。",
            f"{home} has no {FILE}; run wanmi init --county CODE --home {home} first.",
        ) from None
    except OSError as error:
        raise BadHome(
            f"{home} 不能作为数据目录 ({error.strerror}): 须为有 {FILE} 的目录;请检查 --home 和权限。",
            f"{home} is no home ({error.strerror}): a folder with {FILE} is needed; check --home and its permissions.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadHome(f"{path} 不是有效的 TOML: {error}。", f"{path} is not valid TOML: {error}.") from None
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        zh = first.get("ctx", {}).get("zh", first["msg"])
        raise BadHome(f"{path} 的 {key} 不对: {zh}。", f"{key} in {path} is wrong: {first['msg']}.") from None
    except SettingsError as error:
        raise BadHome(f"环境变量 WANMI_… 有错: {error}。", f"A WANMI_… variable is wrong: {error}.") from None


def save(home: Path, values: dict[str, Any]) -> None:
    """Write `wanmi.toml` whole or not at all, readable by its owner only."""
    import tomli_w

    path = home / FILE
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        tomli_w.dump(values, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
