"""What goes down to a county: `send`, `supervise`, `withdraw`, `decide`, `offer`, `sent`."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from appliance.errors import BadFile, WanmiError
from appliance.options import existing_file, json_option, say, show
from server.prefecture.command_line.shared import county_argument, home_option

if TYPE_CHECKING:
    from server.prefecture.store import Platform


@click.command()
@county_argument
@click.argument("case", metavar="FILE.json", callback=existing_file)
@click.option("--evidence", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A picture that goes with it; may be repeated.")  # fmt: skip
@home_option
@json_option
def send(county: str, case: Path, evidence: tuple[Path, ...], home: Path, as_json: bool) -> None:
    """Send COUNTY a case.

    FILE.json is the body of `POST /exchange/v1/cases`: kind, code, lon, lat, description …;
    `upper` with our number and whether we want to decide on requests is added where it lacks. The county takes it in
    once, however often it is tried. One that is out of reach gets it later: `wanmi prefecture sent` tells.

    \b
    Example:
      echo '{"kind":"part","code":"01002","lon":113.47,"lat":34.15,"description":"井盖缺失",
             "upper":{"number":"XC-2026-17","reply_required":true}}' > case.json
      wanmi prefecture send 411081 case.json --evidence lid.jpg
    """
    from server.prefecture.down import Evidence, send_case

    try:
        body = json.loads(case.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise BadFile(f"{case} 不是 JSON: {error}。", f"{case} is no JSON: {error}.") from None
    files = [Evidence(path.read_bytes(), type=mimetypes.guess_type(path.name)[0] or "image/jpeg") for path in evidence]
    _carry_out(home, county, as_json, lambda platform: send_case(platform, county, body, files))


@click.command()
@county_argument
@click.argument("number")
@click.option("--note", required=True, help="What is demanded.")
@click.option("--due", metavar="TIME", help="RFC 3339, for example 2026-10-20T18:00:00+08:00.")
@click.option("--by", metavar="NAME", help="Who supervises, where it is not the platform itself.")
@home_option
@json_option
def supervise(county: str, number: str, note: str, due: str | None, by: str | None, home: Path, as_json: bool) -> None:
    """Supervise the case NUMBER of COUNTY.

    \b
    Example:
      wanmi prefecture supervise 411081 4110812026100900001 --note 请三日内办结 --due 2026-10-20T18:00:00+08:00
    """
    from server.prefecture.down import supervise as write

    _carry_out(home, county, as_json, lambda platform: write(platform, county, number, note, due, by))


@click.command()
@county_argument
@click.argument("number")
@click.option("--reason", required=True, help="Why it is taken back.")
@home_option
@json_option
def withdraw(county: str, number: str, reason: str, home: Path, as_json: bool) -> None:
    """Take the case NUMBER back that was sent to COUNTY.

    \b
    Example:
      wanmi prefecture withdraw 411081 4110812026100900001 --reason 重复下发
    """
    from server.prefecture.down import withdraw as write

    _carry_out(home, county, as_json, lambda platform: write(platform, county, number, reason))


@click.command()
@county_argument
@click.argument("number")
@click.argument("request", type=int)
@click.option("--approve/--refuse", required=True, default=None, help="The decision.")
@click.option("--note", required=True, help="Why.")
@home_option
@json_option
def decide(county: str, number: str, request: int, approve: bool, note: str, home: Path, as_json: bool) -> None:
    """Decide on REQUEST of the case NUMBER, which COUNTY put before us.

    Requests that wait for us stand in the view `prefecture.all_requests` with waiting_for = 'prefecture'.

    \b
    Example:
      wanmi prefecture decide 411081 4110812026100900001 7 --approve --note 同意延期一次
    """
    from server.prefecture.down import decide as write

    _carry_out(home, county, as_json, lambda platform: write(platform, county, number, request, approve, note))


@click.command()
@county_argument
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(["pack", "calendar", "indicators"]),
    required=True,
    help="A code pack, a year's holidays, or the indicators by which the prefecture scores.",
)
@click.option("--title", required=True, help="What the county's technician reads.")
@home_option
@json_option
def offer(county: str, files: tuple[Path, ...], kind: str, title: str, home: Path, as_json: bool) -> None:
    """Offer COUNTY a code pack (pack.toml and its tables), a calendar (calendar.csv) or indicators (NAME.csv).

    Nothing of it counts before the county's technician applies it (`wanmi link offers`).

    \b
    Example:
      wanmi prefecture offer 411081 calendar.csv --kind calendar --title 2027年节假日
      wanmi prefecture offer 411081 xuchang-2026.csv --kind indicators --title 许昌市考核指标
    """
    from server.prefecture.down import offer as write

    try:
        texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    except UnicodeDecodeError as error:
        raise BadFile(f"文件不是 UTF-8: {error}。", f"A file is not UTF-8: {error}.") from None
    _carry_out(home, county, as_json, lambda platform: write(platform, county, kind, title, texts))


@click.command()
@click.option("--county", metavar="CODE", help="Only this county.")
@home_option
@json_option
def sent(county: str | None, home: Path, as_json: bool) -> None:
    """List what was sent down, newest first: waiting, done or failed, what the county said, how far the case is.

    Once a case is closed its evidence is fetched into evidence/ of the home; a line tells how many files are there of
    how many, --json tells each of them.
    """
    from server.prefecture.down import listed
    from server.prefecture.store import opened

    with opened(home) as platform, platform.begin() as connection:
        rows = [_told(platform, connection, row) for row in listed(connection, county)]
    if as_json:
        show(rows)
        return
    for row in rows:
        said = "" if row["state"] == "done" else f"\t{row['status'] or ''} {row['answer'] or ''}".rstrip()
        how_far = f"\t{row['case_state']}" if row["case_state"] else ""
        if row["evidence"]:
            here = sum(file["state"] == "here" for file in row["evidence"])
            how_far += f"\t证据 (evidence) {here}/{len(row['evidence'])}"
        click.echo(
            f"{row['made']}\t{row['county']}\t{row['kind']}\t{row['number'] or '—'}\t{row['state']}{how_far}{said}"
        )


def _carry_out(home: Path, county: str, as_json: bool, write: Callable[[Platform], str]) -> None:
    """Write something down, try it, and tell what came of it; exit code 1 when the county refused."""
    from server.prefecture.down import DONE, FAILED, find_sent, try_now
    from server.prefecture.store import opened

    with opened(home) as platform:
        id_, trouble = write(platform), None
        try:
            try_now(platform, county)
        except WanmiError as error:
            trouble = error
        with platform.begin() as connection:
            row = _told(platform, connection, find_sent(connection, id_))
    if as_json:
        show(row)
    elif row["state"] == DONE:
        say(f"{county}: 已完成 (done) {row['number'] or ''}".rstrip())
    elif row["state"] == FAILED:
        say(f"{county}: 县里拒绝 (refused) {row['status'] or ''}: {row['answer']}")
    else:
        why = f"{trouble.zh} {trouble.en}" if trouble else row["answer"] or "等县里来取 (the county fetches it)"
        say(f"{county}: 等待下发 (waits): {why}")
    if row["state"] == FAILED:
        raise SystemExit(1)


def _told(platform: Any, connection: Any, row: Any) -> dict[str, Any]:
    from appliance.clock import rfc3339
    from server.prefecture.down import case_state
    from server.prefecture.evidence_store import files_of

    files = files_of(connection, row.county, row.number) if row.kind == "case" else []
    return {
        "id": row.id, "county": row.county, "kind": row.kind, "number": row.number, "state": row.state,
        "tries": row.tries, "made": rfc3339(row.made_at), "done": rfc3339(row.done_at), "status": row.status,
        "answer": row.answer, "case_state": case_state(connection, row.county, row.number),
        "evidence": [_file(platform, file) for file in files],
    }  # fmt: skip


def _file(platform: Platform, file: Any) -> dict[str, Any]:
    from appliance.cases.evidence import path_of
    from appliance.clock import rfc3339

    here = file.state == "here"
    return {
        "sha256": file.sha256, "stage": file.stage, "type": file.type, "state": file.state,
        "fetched": rfc3339(file.fetched_at), "file": str(path_of(platform.home, file.sha256)) if here else None,
        "trouble": file.trouble,
    }  # fmt: skip
