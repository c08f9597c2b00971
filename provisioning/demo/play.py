"""One working day of the demo county, played over HTTP and printed line by line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from appliance.errors import Broken
from appliance.options import say
from provisioning.demo.devices import watch_devices, watch_messages
from provisioning.demo.ground import town_communities
from provisioning.demo.hall import hall
from provisioning.demo.photos import picture
from provisioning.demo.prefecture import pulled
from provisioning.demo.running import running_node
from provisioning.demo.world import PASSWORD, collectors


class Day:
    """The day under way: people by account, and what is printed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._clients: dict[str, httpx.Client] = {}

    def who(self, account: str) -> httpx.Client:
        """A client signed in as somebody."""
        if account not in self._clients:
            client = httpx.Client(base_url=self.url, timeout=30)
            answer = _good(client.post("/api/v1/session", json={"account": account, "password": PASSWORD}))
            client.headers["Authorization"] = f"Bearer {answer['token']}"
            self._clients[account] = client
        return self._clients[account]

    def act(self, account: str, number: str, action: str, **body: Any) -> dict[str, Any]:
        """Take an action on a case and print it."""
        client = self.who(account)
        version = _good(self.who("zhiban").get(f"/api/v1/cases/{number}"))["version"]
        answer = client.post(
            f"/api/v1/cases/{number}/actions/{action}", json=body, headers={"If-Match": f'"{version}"'}
        )
        case = _good(answer)
        due = f" 到期 {case['due_at']}" if case["due_at"] else ""
        tell(account, action, f"→ {case['state']}{due}")
        return case

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            client.close()


def play(home: Path) -> None:
    """Play the day.

    Raises:
        Broken: a step was not answered as it should be.
    """
    with running_node(home) as url, hall(home, url) as devices:
        day = Day(url)
        try:
            watch_devices(day.who("zhiban"), devices, tell)
            number = _hotline_call(day)
            _extension(day)
            watch_messages(day.who("zhiban"), devices, tell)
            _duplicate(day, number)
            _citizen(day, home)
            _figures(day)
            _scores(day)
            _pulled(home)
            _restored(home)
        finally:
            day.close()
        _checks(home)
    say("一天结束，全部步骤完成 / the day is over, every step was done")


def open_console(home: Path) -> None:
    """Start the node and its simulated devices, and open the console on it."""
    with running_node(home) as url, hall(home, url):
        say(f"账号 yiren (一人多岗)  密码 {PASSWORD}   account yiren, password {PASSWORD}   {url}")
        subprocess.run([sys.executable, "-m", "appliance", "console", "--url", url], check=False)


def tell(who: str, what: str, text: str) -> None:
    """One line of the day, on stdout."""
    sys.stdout.write(f"{who:>10}  {what:<14} {text}\n")
    sys.stdout.flush()


def _hotline_call(day: Day) -> str:
    """A manhole cover is broken: from the call to the call-back."""
    code = collectors()[0][1]
    box = next(area.box for area in town_communities() if area.code == code)
    assert box is not None
    place = {"lon": round((box.west + box.east) / 2, 6), "lat": round((box.south + box.north) / 2, 6)}
    located = _good(day.who("shouli1").get("/api/v1/locate", params=place))
    tell("shouli1", "locate", f"网格 {located['grid']} 责任 {located['collector']} {located['address']}")
    call = {
        "source": "hotline_12319", "kind": "part", "code": "01002", "description": "井盖破了，车都绕着走", **place,
        "address": located["address"], "reporter": {"name": "来电市民", "phone": "13800000001"},
    }  # fmt: skip
    case = _good(day.who("shouli1").post("/api/v1/cases", json=call))
    number = str(case["number"])
    tell("shouli1", "report", f"{number} {case['name']} 建议部门 {case['department_suggested']}")
    case = day.act("shouli1", number, "ask_verify")
    photo = _photo(day, case["collector"], "verify")
    day.act(case["collector"], number, "verify_true", **place, at=_now(), evidence=[photo])
    day.act("zhiban", number, "file")
    department = case["department_suggested"] or "D01"
    day.act("paiqian", number, "dispatch", department=department, condition=1)
    handler = department.lower()
    day.act(handler, number, "take")
    day.act(handler, number, "finish", result="已更换井盖", evidence=[_photo(day, handler, "after")])
    case = day.act("shouli2", number, "ask_check")
    day.act(
        case["collector"], number, "check_pass", **place, at=_now(), evidence=[_photo(day, case["collector"], "check")]
    )
    day.act("zhiban", number, "close")
    day.act("shouli1", number, "callback", answer="satisfied")
    rows = _good(day.who("zhiban").get(f"/api/v1/cases/{number}/history"))["items"]
    tell("zhiban", "history", f"{len(rows)} 行历史 / rows")
    return number


def _extension(day: Day) -> None:
    """A department asks for more time; the dispatcher agrees."""
    account, code = collectors()[1]
    box = next(area.box for area in town_communities() if area.code == code)
    assert box is not None
    case = _good(
        day.who(account).post(
            "/api/v1/cases",
            json={
                "source": "collector", "kind": "event", "code": "06010", "description": "路口有暴露垃圾",
                "lon": (box.west + box.east) / 2, "lat": (box.south + box.north) / 2,
            },
        )
    )  # fmt: skip
    number = str(case["number"])
    tell(account, "report", f"{number} {case['name']}")
    day.act("shouli1", number, "accept")
    day.act("zhiban", number, "file")
    department = case["department_suggested"] or "D02"
    day.act("paiqian", number, "dispatch", department=department, condition=1)
    asked = _good(
        day.who(department.lower()).post(
            f"/api/v1/cases/{number}/requests", json={"kind": "extension", "reason": "清运车辆在修"}
        )
    )
    request = asked["requests"][-1]["id"]
    tell(department.lower(), "request", f"延期申请 {request} 待批")
    decided = _good(
        day.who("paiqian").post(f"/api/v1/cases/{number}/requests/{request}/decision", json={"approve": True})
    )
    tell("paiqian", "decide", f"同意, 新到期 {decided['due_at']}")
    day.act("lingdao", number, "supervise", note="请当天清完")


def _duplicate(day: Day, number: str) -> None:
    """A second call about the same thing is found before it is filed."""
    first = _good(day.who("shouli2").get(f"/api/v1/cases/{number}"))
    place = {"lon": first["lon"], "lat": first["lat"]}
    found = _good(day.who("shouli2").get("/api/v1/duplicates", params={"code": "01002", **place}))["items"]
    tell("shouli2", "duplicates", f"疑似重复 {len(found)}: {found[0]['number']} {found[0]['metres']} m")


def _citizen(day: Day, home: Path) -> None:
    """A citizen's app reports by Open311 and asks for the stage with the query code."""
    made = subprocess.run(
        [sys.executable, "-m", "appliance", "keys", "add", f"app-{day.url.rsplit(':', 1)[1]}", "--home", str(home)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    box = town_communities()[2].box
    assert box is not None
    form = {
        "api_key": made.stdout.strip(), "service_code": "part-01037", "description": "路灯不亮",
        "lat": str((box.south + box.north) / 2), "long": str((box.west + box.east) / 2), "phone": "13800000002",
    }  # fmt: skip
    with httpx.Client(base_url=day.url, timeout=30) as client:
        answer = client.post("/open311/v2/requests.json", data=form)
        if answer.status_code != 201:
            raise Broken(answer.text, answer.text)
        number = answer.json()[0]["service_request_id"]
        tell("citizen", "open311", f"{number} {answer.json()[0]['service_notice']}")
        code = _good(day.who("shouli1").get(f"/api/v1/cases/{number}"))["query_code"]
        view = _good(client.get(f"/api/v1/public/cases/{code}"))
        tell("citizen", "query", f"{code}: {view['stage_name']}")
        parts = _good(day.who("lingdao").get("/ogc/collections/parts/items", params={"limit": 5}))
        tell("lingdao", "ogc parts", f"{parts['numberReturned']} / {parts['numberMatched']}")


def _figures(day: Day) -> None:
    figures = _good(day.who("zhiban").get("/api/v1/summary"))
    tell("zhiban", "summary", f"未结 {figures['open']} 超期 {figures['overdue']} 今日上报 {figures['reported_today']}")
    yesterday = (datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(days=1)).date().isoformat()
    patrols = _good(day.who("zhiban").get("/api/v1/patrols/summary", params={"day": yesterday}))
    rounds = f"{patrols['rounds_done']}/{patrols['rounds_due']}"
    alarms = " ".join(f"{kind} {number}" for kind, number in patrols["alarms"].items())
    tell("zhiban", "patrols", f"昨日巡查 {rounds} 轮 巡到 {patrols['passed']}/{patrols['grids']} 告警 {alarms}")


def _scores(day: Day) -> None:
    """Everybody is scored, and a figure opens to its cases."""
    assessor = day.who("kaohe")
    told = _good(assessor.get("/api/v1/scores"))
    rate, best = told["platform"]["close_on_time_rate"], told["scopes"]["department"][0]
    shown = "—" if rate is None else f"{rate:.2%}"
    tell(
        "kaohe",
        "scored",
        f"{told['period']} 按期结案率 {shown} 第一名 {best['name']} {best['score']:.2f} {best['grade']}",
    )
    query = {"scope": "platform", "code": "closed", "period": told["period"]}
    behind = _good(assessor.get("/api/v1/scores/cases", params=query))["facts"][0]
    tell("kaohe", "cases behind", f"{behind['name']} {behind['cases']} 件 / cases")


def _pulled(home: Path) -> None:
    """A platform above, enrolled by USB stick, takes the county's records over mutual TLS."""
    told = pulled(home)
    tell("prefecture", "pulled", f"快照 {told['snapshot']} 条, 变更 {told['changes']} 条 / records, 已退出 / left")


def _restored(home: Path) -> None:
    """The working county is backed up, and what was backed up becomes a home of its own, which is thrown away again."""
    scratch = home.absolute() / "backups" / "demo"
    shutil.rmtree(scratch, ignore_errors=True)
    to, into = scratch / "repository", scratch / "restored"
    try:
        made = _wanmi_json("backup", "now", "--to", str(to), home=home)
        tell(
            "technician", "backup now", f"快照 {made['id']} {made['rows']} 行 {made['seconds']} 秒 / snapshot, rows, s"
        )
        found = _wanmi_json("backup", "restore", made["id"], "--to", str(to), "--into", str(into), home=home)
        tell("technician", "restored", f"{found['id']} → {into} {found['rows']} 行 / rows")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _wanmi_json(*arguments: str, home: Path) -> dict[str, Any]:
    """What a command tells as JSON.

    Raises:
        Broken: it was refused.
    """
    command = [sys.executable, "-m", "appliance", *arguments, "--json", "--home", str(home.absolute())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"wanmi {' '.join(arguments[:2])}: {done.stderr.strip()}", done.stderr.strip())
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _checks(home: Path) -> None:
    """The audit chain holds and the doctor finds nothing failed."""
    for arguments in (["audit", "verify"], ["doctor"]):
        done = subprocess.run(
            [sys.executable, "-m", "appliance", *arguments, "--home", str(home)],
            capture_output=True,
            text=True,
            check=False,
        )
        sys.stdout.write(done.stdout + done.stderr)
        if done.returncode != 0:
            raise Broken(f"wanmi {' '.join(arguments)} 失败。", f"wanmi {' '.join(arguments)} failed.")


def _photo(day: Day, account: str, stage: str) -> dict[str, str]:
    """Upload a small picture made here and now."""
    made = picture(SystemRandom())
    answer = day.who(account).post("/api/v1/evidence", files={"file": (f"{stage}.png", made)}, data={"stage": stage})
    return {"sha256": _good(answer)["sha256"], "stage": stage}


def _now() -> str:
    return datetime.now(ZoneInfo("Asia/Shanghai")).isoformat()


def _good(answer: httpx.Response) -> dict[str, Any]:
    """The JSON of a good answer.

    Raises:
        Broken: the answer was a refusal.
    """
    if answer.is_error:
        raise Broken(
            f"{answer.request.method} {answer.request.url.path}: {answer.text}",
            f"{answer.request.method} {answer.request.url.path}: {answer.text}",
        )
    found: dict[str, Any] = answer.json()
    return found
