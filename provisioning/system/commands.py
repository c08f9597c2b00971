"""`python -m provisioning.system`: what install.sh calls. As root, but for `prepare` and `copy-database`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from appliance.errors import Invalid
from appliance.options import home_option, json_option, say, show
from appliance.settings import FILE
from provisioning.system.box import Box
from provisioning.system.tables import Unit

root_option = click.option(
    "--root", "box", default="/", callback=lambda _c, _p, value: Box(Path(value)), metavar="DIR",
    help="Another file tree than this machine's.",
)  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def system() -> None:
    """The install of this machine: accounts, files, units, releases."""


@system.command()
@click.argument("release")
@root_option
def install(release: str, box: Box) -> None:
    """Lay the files of the install and let a release run. Again it changes nothing; another release is an upgrade."""
    from provisioning.system import releases, services
    from provisioning.system.laying import lay
    from provisioning.system.seats import write_profiles
    from provisioning.system.upgrading import upgrade

    releases.release(box, release)
    running = releases.running(box)
    if running is not None and running != release:
        upgrade(box, release)
        return
    changed = lay(box)
    if running is None:
        releases.switch(box, release)
        write_profiles(box.opt / "seats")
        changed.append("/opt/wanmi/current")
    _tell_changes(changed)
    if changed or not box.has_systemd:
        services.enable(box)


@system.command()
@root_option
def lay(box: Box) -> None:
    """Write the files of this release where they are missing or differ."""
    from provisioning.system.laying import lay as lay_files

    _tell_changes(lay_files(box))


@system.command()
@json_option
@root_option
def check(box: Box, as_json: bool) -> None:
    """What is there, what differs, what is missing, what does not run. Exit code 1 where something is not well."""
    from provisioning.system import releases, services
    from provisioning.system.laying import SAID, compare
    from provisioning.system.tables import units

    found = list(compare(box))
    running, states = releases.running(box), services.states(box)
    if as_json:
        items = [{"what": each.what, "state": each.state} for each in found]
        show({"release": running, "items": items, "units": states})
    else:
        for each in found:
            click.echo(f"{SAID[each.state]:<16} {each.what}")
        for name, state in states.items():
            click.echo(f"{state:<16} {name}")
        click.echo(f"版本 / release: {running or '-'}")
    ill = [unit.name for unit in units() if unit.name in states and not _stands_well(box, unit, states[unit.name])]
    for name in ill:
        say(f"{name} 没有在运行;详见 journalctl -u {name} / does not run, see journalctl -u {name}")
    sys.exit(0 if all(each.is_well for each in found) and not ill else 1)


@system.command()
@click.argument("release")
@root_option
def upgrade(release: str, box: Box) -> None:
    """Let another release run: backup, stop, migrate, doctor, switch; all is taken back where one of them fails."""
    from provisioning.system.upgrading import upgrade as to_release

    if not to_release(box, release):
        say(f"{release} 已在运行 / runs already")


@system.command()
@home_option
def prepare(home: Path) -> None:
    """Bring a home to this release's schema, and make the agent's key where there is none. As the node's account."""
    from appliance.people.agent_key import ensure_agent_key
    from appliance.records.store import Records

    Records.open(home).close()
    ensure_agent_key(home)


@system.command("copy-database")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database whole. As the node's account."""
    import sqlite3

    from provisioning.system.upgrading import copy_whole

    try:
        copy_whole(source, target)
    except sqlite3.Error as error:
        raise click.ClickException(f"{source}: {error}") from None


@system.command()
@click.option("--purge", "purging", is_flag=True, help="The data, too; asks, unless --yes.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@root_option
def remove(purging: bool, yes: bool, box: Box) -> None:
    """Remove software, files and units. The home stays, unless --purge."""
    from provisioning.system import removing

    if purging and removing.has_data(box) and not yes:
        _ask(box)
    gone = removing.remove(box) + (removing.purge(box) if purging else [])
    for path in gone:
        say(f"已删除 / removed {path}")
    if not gone:
        say("没有可删除的 / nothing to remove")
    if not purging and removing.has_data(box):
        say(f"数据保留在 {box.home};/etc/wanmi、账号、软件包也保留 / data, /etc/wanmi, accounts, packages stay")


@system.command()
@click.option("--address", help="The address of this machine in the seats' network. [default: its name]")
@click.argument("folder", type=click.Path(path_type=Path))
def seats(address: str | None, folder: Path) -> None:
    """Write the profiles of seats for Windows Terminal and PuTTY into a folder."""
    from provisioning.system.seats import write_profiles

    for path in write_profiles(folder, address):
        click.echo(path)


def _stands_well(box: Box, unit: Unit, state: str) -> bool:
    """Whether a unit runs, or need not: none does before there is a home, tty1 may be given back to a shell."""
    if state == "inactive":
        return unit.seat or not (box.home / FILE).exists()
    return state == "active"


def _ask(box: Box) -> None:
    """The technician types the word; a script says --yes.

    Raises:
        Invalid: there is nobody to ask, or another word came.
    """
    typed = ""
    if sys.stdin.isatty():
        say(f"将永久删除 {box.home} 中的全部数据 / all data there is deleted for good")
        typed = click.prompt("输入 delete 确认 / type delete to go on", default="", show_default=False, err=True)
    if typed.strip() != "delete":
        raise Invalid(
            f"未删除任何东西: --purge 会删除 {box.home};确定请加 --yes。",
            f"Nothing was removed: --purge deletes {box.home}; add --yes if you are sure.",
        )


def _tell_changes(changed: list[str]) -> None:
    for each in changed:
        say(f"已写 / wrote {each}")
    if not changed:
        say("没有变化 / nothing changed")


def main(arguments: list[str] | None = None) -> Any:
    """The entry point: a refusal is its sentence and exit code 1."""
    from appliance.errors import WanmiError

    try:
        return system.main(arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        sys.exit(1)
    except WanmiError as error:
        say(f"{error.zh}\n{error.en}")
        sys.exit(1)
    except OSError as error:
        say(f"{error.filename or ''}: {error.strerror}".strip(": "))
        sys.exit(1)
