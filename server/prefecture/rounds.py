"""The rounds: every county is called at its interval, some at once, and one that fails is left alone for longer.

What waits to be sent down is tried in the same way. All that must be remembered stands in the database, so a platform
that was killed goes on where it was.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event, Lock

import structlog
from sqlalchemy.exc import DBAPIError

from appliance.clock import SECOND
from appliance.errors import Conflict, WanmiError
from server.prefecture.counties import County, all_counties, change_county, log_trouble, the_county
from server.prefecture.county_port import Unreadable, plain
from server.prefecture.down import send_waiting, some_due
from server.prefecture.puller import Pulled, pull_county, trouble_of
from server.prefecture.replicas import held
from server.prefecture.store import Platform

LOOK_SECONDS = 0.5
"""So often the loop looks whose turn it is."""

AWAY_SECONDS = 10.0


def pause_after(failures: int, interval: float, longest: float, asked: float | None, chance: random.Random) -> float:
    """Seconds until a county is called again.

    Args:
        failures: in a row; 0 after success.
        interval, longest: of the settings. asked: what the county's Retry-After said.
        chance: spreads those that failed together, so that they do not come back together.
    """
    if failures == 0:
        return interval
    doubled: float = min(longest, interval * 2 ** min(failures - 1, 20))
    return max(doubled * chance.uniform(0.5, 1.0), asked or 0.0)


def attend(
    platform: Platform, code: str, ending: Callable[[], bool], chance: random.Random
) -> Pulled | WanmiError | None:
    """Call one county: send what waits, pull what is new, and note how it went.

    Returns:
        What was pulled, what went wrong, or None where another process is at it.
    """
    with held(platform, code) as ours:
        if not ours:
            return None
        now = platform.clock.now()
        with platform.begin() as connection:
            county = the_county(connection, code)
            change_county(connection, code, tried_at=now)
        try:
            send_waiting(platform, county, ending)
            done = pull_county(platform, county, ending)
        except WanmiError as error:
            _note_failure(platform, county, error, chance)
            return error
        except Exception as error:  # whatever a county sends must not have it called again at once, for ever
            structlog.get_logger("wanmi").error("pull", county=code, error=without_values(error))
            said = without_values(error)
            told = Unreadable(
                f"拉取中断 ({said});见 log/prefecture.log,将自动重试。",
                f"The pull ended ({said}); see log/prefecture.log. It is tried again by itself.",
            )
            _note_failure(platform, county, told, chance)
            return told
        _note_success(platform, county)
        return done


def pull_once(
    platform: Platform, codes: Iterable[str] | None, ending: Callable[[], bool]
) -> dict[str, Pulled | WanmiError | None]:
    """Pull all counties (or those named) once, whoever's turn it is; what came of it, by county.

    Raises:
        NotFound: a county that never joined. Conflict: one that calls by itself, or whose files are carried.
    """
    with platform.begin() as connection:
        if codes is None:
            wanted = [county.code for county in all_counties(connection) if county.pulled]
        else:
            wanted = [_called(the_county(connection, code)) for code in codes]
    with ThreadPoolExecutor(platform.settings.at_once, thread_name_prefix="wanmi-pull") as threads:
        futures = {code: threads.submit(attend, platform, code, ending, random.Random()) for code in wanted}
        return {code: future.result() for code, future in futures.items()}


def _called(county: County) -> str:
    if county.pulled:
        return county.code
    raise Conflict(
        f"{county.code} 的方式是 {county.mode},不由本平台呼叫,不能拉取;见 wanmi prefecture status。",
        f"{county.code} works by {county.mode} and is not called, so it cannot be pulled; see wanmi prefecture status.",
    )


class Rounds:
    """The loop, in whatever thread calls `run`; `end` ends it from another one."""

    def __init__(self, platform: Platform, codes: Iterable[str] | None = None) -> None:
        self._platform = platform
        self._only = None if codes is None else frozenset(codes)
        self._ending = Event()
        self._lock = Lock()
        self._under_way: dict[str, Future[object]] = {}
        self._chance = random.Random()

    def run(self) -> None:
        """Call counties until `end` is called; what is under way ends at its next page."""
        with ThreadPoolExecutor(self._platform.settings.at_once, thread_name_prefix="wanmi-pull") as threads:
            while not self._ending.is_set():
                try:
                    for code in self._due():
                        self._start(threads, code)
                except Exception as error:  # the database is away; the next look tries again
                    structlog.get_logger("wanmi").error("rounds", error=without_values(error))
                    self._ending.wait(AWAY_SECONDS)
                self._ending.wait(LOOK_SECONDS)
            with self._lock:
                left = list(self._under_way.values())
            wait(left)

    def end(self) -> None:
        """End the loop soon."""
        self._ending.set()

    def _due(self) -> list[str]:
        now = self._platform.clock.now()
        with self._platform.begin() as connection:
            return [
                county.code
                for county in all_counties(connection)
                if county.pulled
                and (self._only is None or county.code in self._only)
                and (county.next_at <= now or (county.failures == 0 and some_due(connection, county.code, now)))
            ]

    def _start(self, threads: ThreadPoolExecutor, code: str) -> None:
        with self._lock:
            if code in self._under_way:
                return
            future: Future[object] = threads.submit(attend, self._platform, code, self._ending.is_set, self._chance)
            self._under_way[code] = future
        future.add_done_callback(lambda done: self._forget(code, done))

    def _forget(self, code: str, done: Future[object]) -> None:
        error = done.exception()
        if error is not None:  # not even the failure could be written down
            structlog.get_logger("wanmi").error("pull", county=code, error=without_values(error))
        with self._lock:
            self._under_way.pop(code, None)


def _note_success(platform: Platform, county: County) -> None:
    now = platform.clock.now()
    with platform.begin() as connection:
        change_county(
            connection, county.code, pulled_at=now, failures=0, trouble_zh=None, trouble_en=None,
            next_at=now + int(platform.settings.interval * SECOND),
        )  # fmt: skip


def _note_failure(platform: Platform, county: County, error: WanmiError, chance: random.Random) -> None:
    settings, now, failures = platform.settings, platform.clock.now(), county.failures + 1
    pause = pause_after(failures, settings.interval, settings.longest_pause, trouble_of(error), chance)
    with platform.begin() as connection:
        log_trouble(connection, county.code, now, error)
        change_county(
            connection, county.code, failures=failures, trouble_zh=error.zh, trouble_en=error.en,
            next_at=now + int(pause * SECOND),
        )  # fmt: skip


def without_values(error: BaseException) -> str:
    """What went wrong, without the values of a statement: records of people stand in them."""
    said = str(error.orig or "") if isinstance(error, DBAPIError) else str(error)
    return f"{type(error).__name__}: {plain(said.partition(chr(10))[0], 200)}"
