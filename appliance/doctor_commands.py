"""`wanmi doctor`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appliance.options import home_option, json_option, show

COLOURS = {"passed": "green", "warning": "yellow", "failed": "red", "error": "red", "skipped": "blue"}


@click.command()
@home_option
@json_option
def doctor(home: Path, as_json: bool) -> None:
    """Run every check of every part and say what to do.

    Exit code 1 when a check failed or could not run. A node may be running meanwhile.
    """
    from appliance.doctor import examine

    findings = list(examine(home))
    if as_json:
        show([finding.as_dict() for finding in findings])
    else:
        for finding in findings:
            mark = click.style(f"{finding.result:8}", fg=COLOURS[finding.result])
            click.echo(f"{mark} {finding.check:24} {finding.zh}")
    sys.exit(1 if any(finding.result in ("failed", "error") for finding in findings) else 0)
