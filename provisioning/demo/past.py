"""Ninety days of the demo county's cases, played through the real engine from a fixed seed.

Each case is a story: a generator that yields "after so long, do this". All stories run interleaved in the order of
time, in units of work of many steps each.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import Any

from appliance.cases.actions import ActionBody, act
from appliance.cases.columns import load
from appliance.cases.office import Office
from appliance.cases.report import NewCase, report
from appliance.cases.requests import ask, decide
from appliance.clock import DAY, HOUR, MINUTE, local, micros
from appliance.errors import WanmiError
from appliance.people.accounts import actor_of
from appliance.people.actor import Actor
from appliance.records.writer import Unit
from provisioning.demo.photos import take_photo
from provisioning.demo.world import SEED, collectors, spot

DAYS = 90
CASES_A_DAY = 18
STEPS_A_UNIT = 150
FORGETS_PHOTO = 0.03
SOURCES = (("collector", 60), ("hotline_12319", 22), ("hotline_12345", 6), ("wechat_app", 6), ("video", 6))
CLASSES = (
    ("event", "06010", 20), ("event", "09005", 14), ("event", "09001", 9), ("event", "09006", 8), ("event", "08002", 5),
    ("part", "01002", 12), ("part", "01003", 8), ("part", "01001", 5), ("part", "01037", 9), ("part", "01005", 3),
)  # fmt: skip
WORDS = ("需要处理", "影响通行", "市民多次反映", "已存在两天", "请尽快到现场", "夜间更明显")

Step = tuple[int, Callable[[Unit], None]]


@dataclass
class Player:
    """Plays stories: who acts, on which office, with which dice."""

    office: Office
    random: Random
    actors: dict[str, Actor]

    def act(self, unit: Unit, account: str, number: str, action: str, **body: Any) -> None:
        """Take an action with the version the case has."""
        case = load(unit.connection, number)
        assert case is not None
        act(unit, self.office, self.actors[account], number, action, ActionBody(**body), case["version"])

    def answer(self, unit: Unit, account: str, number: str, action: str, **body: Any) -> None:
        """Answer from the field with time and, nearly always, a photo of the moment."""
        case = load(unit.connection, number)
        assert case is not None
        chance = Random(f"{number}/{case['version']}")  # of its own, so that the story goes on as it would
        stage = action.partition("_")[0]
        photos = []
        if chance.random() >= FORGETS_PHOTO:
            photos.append(take_photo(unit, self.office.records.home, self.actors[account], stage, chance))
        self.act(unit, account, number, action, at=unit.now, evidence=photos or None, **body)


def play_past(office: Office, end: int, tell: Callable[[int, int], None], days: int = DAYS) -> int:
    """Play the days before `end` (microseconds) and return how many steps were taken."""
    random = Random(SEED)
    with office.records.read() as connection:
        accounts = ["shouli1", "shouli2", "shouli3", "zhiban", "paiqian", "lingdao", *(a for a, _ in collectors())]
        accounts += [code.lower() for code in office.departments]
        player = Player(office, random, {account: actor_of(connection, account) for account in accounts})
    queue: list[tuple[int, int, Iterator[Step], Callable[[Unit], None]]] = []
    for order, moment in enumerate(_moments(office, random, end, days)):
        story = _story(player, Random(SEED + order))
        _, step = next(story)
        heapq.heappush(queue, (moment, order, story, step))
    return _run(office, queue, end, tell)


def _run(office: Office, queue: list[Any], end: int, tell: Callable[[int, int], None]) -> int:
    taken, begin = 0, queue[0][0] if queue else end
    while queue and queue[0][0] < end:

        def work(unit: Unit) -> int:
            count = 0
            while queue and queue[0][0] < end and count < STEPS_A_UNIT:
                moment, order, story, step = heapq.heappop(queue)
                unit.now = moment
                step(unit)
                count += 1
                following = next(story, None)
                if following is not None:
                    heapq.heappush(queue, (moment + following[0], order, story, following[1]))
            return count

        taken += office.records.write(work)
        tell((queue[0][0] if queue else end) - begin, end - begin)
    return taken


def _moments(office: Office, random: Random, end: int, days: int) -> list[int]:
    zone = office.settings.zone
    last = local(end, zone).date()
    found = []
    for back in range(days, -1, -1):
        midnight = micros(datetime.combine(last - timedelta(days=back), time(), zone))
        for _ in range(random.randint(CASES_A_DAY - 6, CASES_A_DAY + 6)):
            found.append(midnight + round(random.triangular(6.5, 21, 10) * HOUR))
    return sorted(found)


def _story(player: Player, random: Random) -> Iterator[Step]:
    """One case from its report to wherever it gets."""
    number: list[str] = []
    source = random.choices([name for name, _ in SOURCES], [weight for _, weight in SOURCES])[0]
    kind, code, _ = random.choices(CLASSES, [weight for *_, weight in CLASSES])[0]
    place = spot(random)
    own = {community: account for account, community in collectors()}[place.community.code]
    seat = random.choice(("shouli1", "shouli2", "shouli3"))
    reporter = own if source == "collector" else seat
    name = player.office.code_class(kind, code).name
    new = NewCase(
        source=source, kind=kind, code=code, lon=place.lon, lat=place.lat, address=place.address,
        description=f"{name}，{random.choice(WORDS)}",
        reporter_name="来电市民" if source.startswith("hotline") else None,
        reporter_phone=f"139{random.randint(0, 99999999):08d}" if source.startswith("hotline") else None,
    )  # fmt: skip

    def first(unit: Unit) -> None:
        number.append(str(report(unit, player.office, player.actors[reporter], new)["number"]))

    def do(account: str, action: str, **body: Any) -> Callable[[Unit], None]:
        return lambda unit: player.act(unit, account, number[0], action, **body)

    yield 0, first
    public = source not in ("collector", "video")
    if public:
        yield _minutes(random, 4, 45), do(seat, "ask_verify", collector=own)
        true = random.random() < 0.93
        verdict, reason = ("verify_true", None) if true else ("verify_false", "现场未见")
        told = {"lon": place.lon, "lat": place.lat, "reason": reason}
        yield _minutes(random, 20, 600), lambda unit: player.answer(unit, own, number[0], verdict, **told)
        if not true:
            yield _minutes(random, 5, 25), do(seat, "reject", reason="经核实不属实")
            return
    else:
        yield _minutes(random, 3, 34), do(seat, "accept")
    yield _minutes(random, 3, 33), do("zhiban", "file")
    yield from _handled(player, random, do, number, code, kind, (place.lon, place.lat))
    if public:
        answer = random.choices(("satisfied", "dissatisfied", "unreachable"), (82, 6, 12))[0]

        def call_back(unit: Unit) -> None:
            case = load(unit.connection, number[0])
            if case is not None and case["state"] == "closed":
                player.act(unit, seat, number[0], "callback", answer=answer)

        yield _minutes(random, 30, 1500), call_back


def _handled(
    player: Player, random: Random, do: Any, number: list[str], code: str, kind: str, at: tuple[float, float]
) -> Iterator[Step]:
    """From filing to closing: dispatch, perhaps a request, handling, check, perhaps rework."""
    office = player.office
    limits = office.limits(office.settings.edition, kind, code)
    condition = random.randint(1, len(limits)) if limits else None
    department = _department(code)

    def dispatch(unit: Unit) -> None:
        case = load(unit.connection, number[0])
        assert case is not None
        unit_code = case["department_suggested"] or department
        chosen.append(unit_code)
        player.act(unit, "paiqian", number[0], "dispatch", department=unit_code, condition=condition)

    def request(kind_: str, approve: bool, until: int | None = None) -> Callable[[Unit], None]:
        def both(unit: Unit) -> None:
            try:
                end = None if until is None else unit.now + until
                asker = player.actors[chosen[-1].lower()]
                case = ask(unit, office, asker, number[0], kind_, "配件在途，请予延长", end)
            except WanmiError:
                return
            waiting = unit.connection.exec_driver_sql(
                "SELECT id FROM request WHERE case_id = ? AND waiting_for IS NOT NULL", (case["id"],)
            ).scalar_one()
            decide(unit, office, player.actors["paiqian"], number[0], waiting, approve, None)

        return both

    def finish(unit: Unit) -> None:
        case = load(unit.connection, number[0])
        assert case is not None
        if case["state"] in ("dispatched", "handling"):
            player.act(unit, chosen[-1].lower(), number[0], "finish", result="已处置完毕")

    chosen: list[str] = []
    yield _minutes(random, 4, 33), dispatch
    yield _minutes(random, 10, 90), lambda unit: player.act(unit, chosen[-1].lower(), number[0], "take")
    if random.random() < 0.05:
        yield _minutes(random, 5, 20), request("extension", random.random() < 0.8)
    if random.random() < 0.01:
        yield _minutes(random, 5, 20), request("suspension", True, 20 * DAY)
        return
    slow = random.uniform(3, 25) * DAY if random.random() < 0.05 else 0
    yield round(random.lognormvariate(0.6, 0.9) * 3 * HOUR + slow), finish
    checker = random.choice(collectors())[0]
    while True:
        yield _minutes(random, 4, 36), do(random.choice(("shouli1", "shouli2")), "ask_check", collector=checker)
        good = random.random() < 0.94
        proof = {"lon": at[0], "lat": at[1]}
        if good:
            yield _minutes(random, 15, 140), do_checked(player, number, checker, "check_pass", proof)
            break
        yield _minutes(random, 15, 140), do_checked(player, number, checker, "check_fail", proof)
        yield round(random.uniform(0.5, 8) * HOUR), finish
    yield _minutes(random, 3, 36), do("zhiban", "close")


def do_checked(
    player: Player, number: list[str], checker: str, action: str, proof: dict[str, float]
) -> Callable[[Unit], None]:
    """A check in the field: the collector who was sent answers."""
    reason = "仍未处置到位" if action == "check_fail" else None
    return lambda unit: player.answer(unit, checker, number[0], action, reason=reason, **proof)


def _department(code: str) -> str:
    return {"01": "D01", "06": "D02", "08": "D04", "09": "D04"}.get(code[:2], "D01")


def _minutes(random: Random, least: float, most: float) -> int:
    return round(random.triangular(least, most, least + (most - least) * 0.3) * MINUTE)
