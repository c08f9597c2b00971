"""`wanmi backup`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from appliance.options import existing_file, home_option, json_option, say, show

to_option = click.option("--to", metavar="REPO", help="Another repository than [backup] to in wanmi.toml.")
key_option = click.option(
    "--key", callback=lambda c, p, v: v and existing_file(c, p, v), metavar="FILE",
    help="A file with the key of the recovery sheet, where the home is lost.",
)  # fmt: skip


@click.group()
def backup() -> None:
    """Encrypted, incremental backups of the whole home, made while the node works; restored and proved to restore.

    A repository is an absolute folder, disk:LABEL/folder (a stick or disk by its label), sftp:user@host:/folder or
    s3:https://host/bucket. Its key is in keys/backup.key and not in the backup: print it with `wanmi backup sheet`.

    \\b
    Examples:
      wanmi backup now --to /media/backup/wanmi
      wanmi backup list
      wanmi backup restore 3f2a9c01 --into /var/lib/wanmi
    """


@backup.command()
@to_option
@home_option
@json_option
def now(to: str | None, home: Path, as_json: bool) -> None:
    """Make a snapshot now; the node goes on working. Old snapshots go by the rule of [backup].

    --json: {"id", "rows", "bytes", "added", "seconds", "cursor"}.
    """
    from backups.snapshot import back_up

    made = back_up(home, to)
    if as_json:
        show(made.as_dict())
        return
    say(
        f"快照 {made.id}: {made.rows} 行, {made.bytes >> 20} MB (新增 {made.added >> 20} MB), {made.seconds:.1f} 秒 / "
        f"snapshot, rows, new of all MB, seconds"
    )


@backup.command("list")
@to_option
@key_option
@home_option
@json_option
def list_(to: str | None, key: Path | None, home: Path, as_json: bool) -> None:
    """The snapshots, oldest first."""
    found = _repository(home, to, key)(lambda repository: repository.snapshots())
    if as_json:
        show({"items": [{"id": each.id, "at": each.at, "county": each.host, "tags": each.tags} for each in found]})
        return
    if not found:
        say("还没有快照 / no snapshot yet")
    for each in found:
        click.echo(f"{each.id}  {each.at[:19]}  {each.host}  {'  '.join(each.tags)}")


@backup.command()
@click.argument("snapshot", metavar="ID")
@to_option
@key_option
@home_option
@json_option
def verify(snapshot: str, to: str | None, key: Path | None, home: Path, as_json: bool) -> None:
    """Read the whole repository back, and the database of a snapshot byte by byte. Exit code 1 where it is damaged."""
    from backups.restoring import verify as read_back

    manifest = _repository(home, to, key)(lambda repository: read_back(repository, snapshot))
    if as_json:
        show({"id": snapshot, "ok": True, "at": manifest.at, "rows": sum(manifest.rows.values())})
    else:
        say(f"{snapshot} 完好 / is whole: {manifest.at}, {sum(manifest.rows.values())} 行 / rows")


@backup.command()
@click.argument("snapshot", metavar="ID|latest|warm")
@click.option("--into", required=True, type=click.Path(path_type=Path), help="The new home; an empty folder, or none.")
@to_option
@key_option
@home_option
@json_option
def restore(snapshot: str, into: Path, to: str | None, key: Path | None, home: Path, as_json: bool) -> None:
    """Restore a snapshot into a new home. It appears only once it is whole and was compared.

    Where the old home is lost: --to REPO --key FILE with the key of the recovery sheet. `warm` is the warm copy: where
    the old home is lost, --to FOLDER names it. The platforms above take a snapshot of the restored county by
    themselves. Whose data was deleted after the snapshot (wanmi personal delete) is deleted again.
    """
    if snapshot == "warm":
        _restore_warm(home, to, into, as_json)
        return
    from backups.restoring import newest
    from backups.restoring import restore as bring_back

    def work(repository: Any) -> Any:
        return bring_back(repository, newest(repository) if snapshot == "latest" else snapshot, into, old_home=home)

    manifest = _repository(home, to, key)(work)
    if as_json:
        show({"id": snapshot, "into": str(into), "at": manifest.at, "rows": sum(manifest.rows.values())})
    else:
        say(f"已恢复到 {into} / restored: {manifest.at}, {sum(manifest.rows.values())} 行 / rows")


@backup.command()
@home_option
def follow(home: Path) -> None:
    """Keep the warm copy of [backup] warm: what was committed, every few seconds, on another disk or machine.

    Runs until SIGTERM or Ctrl-C; `wanmi up` and the units of the system install run it. When the disk of the home
    dies, `wanmi backup restore warm` makes a home of the copy: what it lacks is the last seconds.
    """
    import signal
    import threading

    from backups.warm.following import follow as keep_following

    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    keep_following(home, ending)


@backup.command()
@to_option
@home_option
@json_option
def drill(to: str | None, home: Path, as_json: bool) -> None:
    """Restore the newest snapshot into a scratch home, compare rows and audit chains, note the result.

    Exit code 1 where it does not restore.
    """
    from backups.drilling import drill as exercise

    result = _repository(home, to, None)(lambda repository: exercise(home, repository))
    if as_json:
        import msgspec

        show(msgspec.to_builtins(result))
    else:
        how = "可以恢复 / restores" if result.ok else f"不能恢复 / does not restore: {result.zh} {result.en}"
        say(f"{result.snapshot or '-'} {how} ({result.rows} 行 / rows, {result.seconds} 秒 / s)")
    sys.exit(0 if result.ok else 1)


@backup.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@home_option
def sheet(file: Path, home: Path) -> None:
    """Write the recovery sheet, a page to print with the key and the steps. Keep it apart from the backups."""
    from appliance.exchange.links import write_private
    from appliance.settings import load
    from backups.key import ensure_key
    from backups.key import sheet as page

    settings = load(home)
    ensure_key(home)
    write_private(file, page(home, settings.county, settings.name, settings.backup.to))
    say(f"已写 {file},打印后与备份分开保管,并删除文件 / print it, keep it apart, delete the file")


def _restore_warm(home: Path, to: str | None, into: Path, as_json: bool) -> None:
    from appliance.settings import load
    from backups.repository import place_of
    from backups.warm.place import Place, place
    from backups.warm.restoring import restore_warm

    found = restore_warm(Place(Path(place_of(to))) if to else place(home, load(home).backup), into, old_home=home)
    if as_json:
        show(found)
        return
    say(f"已从热备恢复到 {into} / restored from the warm copy: {found['at']}, {found['rows']} 行 / rows")
    if found["evidence_missing"]:
        say(f"{found['evidence_missing']} 个证据文件还没来得及复制 / evidence files were not copied yet")


def _repository(home: Path, to: str | None, key: Path | None) -> Callable[[Callable[[Any], Any]], Any]:
    """Runs work on the repository of a home, or on one that is named with its key."""
    from appliance.settings import load
    from backups.repository import Repository
    from backups.snapshot import repository_of

    def run(work: Callable[[Any], Any]) -> Any:
        if key is not None:
            if not to:
                raise click.UsageError("--key 须同时给 --to / --key needs --to")
            return work(Repository(to, key, Path.home() / ".cache" / "wanmi-restic"))
        return work(repository_of(home, load(home), to))

    return run
