"""`wanmi acceptance`: the evidence a province asks for."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.options import home_option, json_option, say, show


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@home_option
@json_option
def acceptance(folder: Path, home: Path, as_json: bool) -> None:
    """Write the evidence for acceptance (验收) into a new folder DIR, as CSV files with a list of their digests.

    Coverage, data quality checks with counts, six months of running indicators and scores, ledgers with their shares,
    times of typical queries, users and roles, backup and restore records, and every table. Reporters and
    telephone numbers are masked; passwords, keys and query codes are left out. The folder is there whole or not at all.

    \b
    Example:
      wanmi acceptance ./验收-2026
    """
    from appliance.records.store import Records
    from provisioning.acceptance.writing import write_acceptance

    records = Records.open(home)
    try:
        names = write_acceptance(records, folder)
    finally:
        records.close()
    if as_json:
        show({"folder": str(folder), "files": names})
        return
    for name in names:
        click.echo(name)
    say(f"已写 {folder} ({len(names)} 个文件) / written")
