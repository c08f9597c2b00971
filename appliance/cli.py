"""The `wanmi` command: one group that loads each folder's commands when they are called.

Commands are entry points of the group `wanmi.commands`, so `wanmi --help` imports none of them. A refusal is one
sentence on stderr and exit code 1; wrong usage is 2; never a traceback.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import click

SUMMARIES = {
    "setup": "The technician's first visit, step by step, with a hand-over sheet at the end.",
    "init": "Make a new home for a county.",
    "serve": "Run the HTTP node.",
    "up": "Run the node and all that belongs to it, in the foreground.",
    "scheduler": "Run the jobs that are due, on time; part of `wanmi up`.",
    "backup": "Encrypted backups: now, list, verify, restore, drill.",
    "jobs": "What the box does by itself: list, run now.",
    "console": "Open the operator console.",
    "wall": "Show the wall screen.",
    "import": "Import boundary, grids, parts, places, staff, cases … from files.",
    "export": "Export cases, parts, grids … to a file.",
    "grids": "Cut unit grids over the boundary.",
    "keys": "Make keys for citizens' apps, device agents and wall screens.",
    "users": "Accounts: add, list, password, end.",
    "personal": "What is held of a person: find, export, delete.",
    "certificate": "TLS of the node in the local network: make, renew.",
    "devices": "GPS units, LED walls and signs, modems on serial ports.",
    "join": "Join a prefecture's platform, or renew what it granted.",
    "leave": "End a link to a platform above.",
    "link": "The links to platforms above: how they stand, what was read, what is offered.",
    "exchange": "Open the exchange ports (serve and up do it by themselves).",
    "score": "Indicators and scores of a period, and the cases behind them.",
    "analysis": "Patterns in a period: staged checks, hot spots, units always at the limit.",
    "acceptance": "Write the evidence for acceptance by the province.",
    "report": "Papers: the monthly return, bulletins, notices and letters.",
    "audit": "Walk the audit chain.",
    "doctor": "Run every check of every part.",
    "demo": "Make and play the demo county.",
    "prefecture": "The platform above: enrol counties, pull them, send cases down, rank them.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_entries())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = _entries().get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, SUMMARIES.get(name, "")) for name in _entries()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option("0.1.0", prog_name="wanmi")
def wanmi() -> None:
    """Wanmi 万米: the county node of digital city management, in one box.

    A home (--home, else WANMI_HOME, else /var/lib/wanmi) is the whole node. Data goes to stdout and talk to stderr.
    Exit codes: 0 done, 1 refused or failed, 2 wrong usage.

    \b
    First steps:
      wanmi init --county 411081 --name 禹州市 --admin admin --home ./home
      wanmi import boundary county.geojson --home ./home
      wanmi up --home ./home
    """


def main() -> None:
    """The entry point: turns refusals into one sentence and an exit code."""
    from appliance.errors import WanmiError

    try:
        wanmi.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("已中断 / interrupted", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except WanmiError as error:
        click.echo(_sentences(error), err=True)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        click.echo(f"{error.filename or ''}: {error.strerror}".strip(": "), err=True)
        sys.exit(1)
    except Exception as error:
        if not _is_of_the_database(error):
            raise
        said = getattr(error, "orig", None) or error
        click.echo(
            f"数据库出错: {said};请运行 wanmi doctor 检查。\nThe database failed: {said}; run wanmi doctor.", err=True
        )
        sys.exit(1)


def _is_of_the_database(error: Exception) -> bool:
    """Whether SQLAlchemy raised it; asked without loading it for commands that need no database."""
    raisable = sys.modules.get("sqlalchemy.exc")
    return raisable is not None and isinstance(error, raisable.SQLAlchemyError)


def _sentences(error: Any) -> str:
    return str(error.en) if os.environ.get("WANMI_LANGUAGE") == "en" else f"{error.zh}\n{error.en}"


def _entries() -> dict[str, str]:
    order = list(SUMMARIES)
    found = {entry.name: entry.value for entry in entry_points(group="wanmi.commands")}
    return dict(sorted(found.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))
