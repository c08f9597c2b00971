"""An office at work: whatever may happen to cases next, by chance."""

from __future__ import annotations

import random

import msgspec

from appliance.errors import WanmiError
from tests.cases.desk import Desk

ONWARD: dict[str, tuple[tuple[str, str, dict[str, object]], ...]] = {
    "reported": (("s1", "ask_verify", {"collector": "l1"}), ("s1", "accept", {"reason": "电话说得清楚"})),
    "verifying": (("l1", "verify_true", {}), ("l1", "verify_false", {"reason": "没有"}), ("l1", "verify_true", {})),
    "accepted": (("z1", "file", {}),),
    "filed": (("p1", "dispatch", {"department": "D01", "condition": 1}),),
    "dispatched": (("d1", "take", {}), ("d1", "finish", {"result": "修好了"})),
    "handling": (("d1", "finish", {"result": "修好了"}),),
    "handled": (("s1", "ask_check", {"collector": "l1"}),),
    "checking": (("l1", "check_fail", {"reason": "没修好"}), ("l1", "check_pass", {})),
    "checked": (("z1", "close", {}),),
}  # fmt: skip
FROM_ABOVE: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("z1", "supervise", {"note": "快一点"}), ("d1", "answer_supervision", {"note": "正在办"}), ("b1", "urge", {}),
    ("z1", "clear_supervision", {"note": "好"}), ("b1", "instruct", {"note": "抓紧"}),
)  # fmt: skip


def live_a_little(desk: Desk, chance: random.Random, steps: int) -> None:
    """Random work of an office; what is refused is refused."""
    for _ in range(steps):
        desk.clock.advance(minutes=chance.randint(1, 90))
        numbers = [msgspec.json.decode(item)["number"] for item in desk.page(limit=50).items]
        try:
            if not numbers or chance.random() < 0.12:
                phone = chance.choice((None, "13812344321"))
                desk.report(description=f"井盖{chance.random()}", reporter_name="张三", reporter_phone=phone)
            elif chance.random() < 0.15:
                until = desk.clock.now() + 86_400_000_000
                desk.ask(
                    "d1", chance.choice(numbers), chance.choice(("extension", "suspension", "return")), until=until
                )
            elif chance.random() < 0.15:
                number = chance.choice(numbers)
                waiting = [item["id"] for item in desk.case(number)["requests"] if item["waiting_for"]]
                if waiting:
                    desk.decide("p1", number, waiting[0], chance.random() < 0.7)
            else:
                number = chance.choice(numbers)
                usual = ONWARD.get(desk.case(number)["state"], ())
                account, action, body = chance.choice(usual if usual and chance.random() < 0.8 else FROM_ABOVE)
                desk.act(account, number, action, **body)
        except WanmiError:
            continue
