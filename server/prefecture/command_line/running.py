"""Keeping counties: `serve`, `pull`, `status`, `log`."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import rich_click as click

from appliance.options import json_option, say, show
from server.prefecture.command_line.shared import home_option

LAG_SECONDS = 900.0


@click.command()
@click.option(
    "--listen", metavar="HOST:PORT", help="Where to listen; port 0 takes a free one. [default: prefecture.toml]"
)
@home_option
def serve(listen: str | None, home: Path) -> None:
    """Run the platform: HTTPS for its counties, and the rounds that pull them.

    TLS 1.3 with the certificate in DIR/keys; it is made anew by itself before it ends. SIGTERM or Ctrl-C ends it after
    the page that is under way. Only one runs on a home.

    \b
    Examples:
      wanmi prefecture serve --home /srv/xuchang
      wanmi prefecture serve --listen 127.0.0.1:8443
    """
    from appliance.lock import hold
    from appliance.log import configure
    from server.prefecture import app
    from server.prefecture.settings import host_and_port
    from server.prefecture.store import opened

    with opened(home) as platform, hold(home, "prefecture", "平台", "platform"):
        configure(home, "prefecture")
        host, port = host_and_port(listen) if listen else platform.settings.door
        name = platform.settings.name
        app.serve(platform, host, port, lambda url: say(f"万米 {name}: {url}  (Ctrl-C 停止 / stops)"))


@click.command()
@click.option("--once", is_flag=True, help="Pull each county once and end; exit code 1 when one fails.")
@click.option("--county", "counties", multiple=True, metavar="CODE", help="Only this county; may be repeated.")
@home_option
@json_option
def pull(once: bool, counties: tuple[str, ...], home: Path, as_json: bool) -> None:
    """Pull counties without serving HTTPS: all at their interval, or once.

    Each goes on where its replica stands. The first time, and where the county says so, that is a snapshot in a second
    schema, which then replaces the first. A county that another process pulls at this moment is passed over.

    \b
    Examples:
      wanmi prefecture pull --once
      wanmi prefecture pull --county 411081 --county 411082
    """
    from server.prefecture.evidence import EvidenceRounds, fetch_once
    from server.prefecture.loops import beside
    from server.prefecture.replicas import upgrade_all
    from server.prefecture.rounds import Rounds, pull_once
    from server.prefecture.store import opened

    with opened(home) as platform:
        upgrade_all(platform)
        if not once:
            rounds = Rounds(platform, counties or None)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: rounds.end())
            with beside(EvidenceRounds(platform)):
                rounds.run()
            return
        results = {code: _told(done) for code, done in pull_once(platform, counties or None, lambda: False).items()}
        fetch_once(platform, counties or None)
    if as_json:
        show(results)
    else:
        for code, told in results.items():
            click.echo(f"{code}\t{_sentence(told)}")
    if not all(told["ok"] for told in results.values()):
        raise SystemExit(1)


@click.command()
@click.option(
    "--lag", default=LAG_SECONDS, show_default=True, type=click.FloatRange(min=0), metavar="SECONDS",
    help="Exit code 1 when a replica is older.",
)  # fmt: skip
@home_option
@json_option
def status(lag: float, home: Path, as_json: bool) -> None:
    """Tell how each county stands: last pull, lag, back-off, certificate, a snapshot under way, what waits for it.

    `lag_seconds` is the time since the replica was last known to hold everything the county had, so it grows while a
    county cannot be reached. A county that was never taken in whole counts as behind.

    \b
    Examples:
      wanmi prefecture status
      wanmi prefecture status --lag 300 --json || notify
    """
    from dataclasses import asdict

    from server.prefecture.status import statuses
    from server.prefecture.store import opened

    with opened(home) as platform:
        found = statuses(platform)
    behind = [each.county for each in found if each.behind(lag)]
    if as_json:
        show({"ok": not behind, "behind": behind, "counties": [asdict(each) for each in found]})
    else:
        for each in found:
            click.echo(_line(each, each.county in behind))
        if not found:
            say("还没有县接入;wanmi prefecture token 县代码 (no county has joined yet)")
    if behind:
        raise SystemExit(1)


@click.command()
@click.option("--county", metavar="CODE", help="Only this county.")
@click.option("--lines", default=50, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@home_option
@json_option
def log(county: str | None, lines: int, home: Path, as_json: bool) -> None:
    """Tell what happened while pulling: snapshots, gaps, refusals; newest first."""
    from appliance.clock import rfc3339
    from server.prefecture.status import log_lines
    from server.prefecture.store import opened

    with opened(home) as platform, platform.begin() as connection:
        rows = [
            {
                "county": row.county,
                "at": rfc3339(row.at),
                "event": row.event,
                "zh": row.zh,
                "en": row.en,
                "harm": row.harm,
            }
            for row in log_lines(connection, county, lines)
        ]
    if as_json:
        show(rows)
        return
    for row in rows:
        click.echo(f"{row['at']}\t{row['county']}\t{row['event']}\t{row['zh']} {row['en']}")


def _told(done: Any) -> dict[str, Any]:
    from dataclasses import asdict

    from server.prefecture.puller import Pulled

    if isinstance(done, Pulled):
        return {"ok": True, **asdict(done)}
    if done is None:
        return {"ok": True, "busy": True}
    return {"ok": False, "zh": done.zh, "en": done.en}


def _sentence(told: dict[str, Any]) -> str:
    if told.get("busy"):
        return "另一进程正在拉取 (another process pulls it)"
    if not told["ok"]:
        return f"失败 (failed): {told['zh']} {told['en']}"
    whole = "取了快照 (snapshot), " if told["snapshots"] else ""
    return f"{whole}{told['records']} 条 (records), {told['pages']} 页 (pages), 还差 (behind) {told['behind']}"


def _line(each: Any, behind: bool) -> str:
    parts = [each.county, each.name, each.mode, "落后 (BEHIND)" if behind else "正常 (ok)"]
    seconds = "—" if each.lag_seconds is None else f"{each.lag_seconds:.0f} s"
    parts.append(f"滞后 (lag) {'—' if each.lag_rows is None else each.lag_rows} 行 (rows), {seconds}")
    parts.append(f"拉取 (pull) {each.last_pull or '—'}")
    parts.append(f"证书至 (certificate) {(each.certificate_end or '—')[:10]}")
    if each.snapshot:
        parts.append(f"快照 (snapshot) {each.snapshot['type']}, {each.snapshot['records']} 条 (records)")
    if each.back_off_seconds is not None:
        parts.append(
            f"失败 (failures) {each.failures}, {each.back_off_seconds:.0f} s 后重试 (retry): {each.trouble_zh}"
        )
    if each.waiting:
        parts.append(f"待下发 (waiting) {each.waiting}")
    return "\t".join(parts)
