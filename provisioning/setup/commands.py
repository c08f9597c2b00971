"""`wanmi setup`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appliance.options import existing_file, home_option, json_option, say, show


@click.command()
@click.option(
    "--answers", metavar="FILE", callback=lambda c, p, v: v and existing_file(c, p, v),
    help="Take the steps that FILE (TOML) has answers for, without asking.",
)  # fmt: skip
@click.option("--template", metavar="FILE", type=click.Path(path_type=Path), help="Write the empty workbook of people.")
@click.option(
    "--handover", metavar="FILE", type=click.Path(path_type=Path), help="Write the hand-over sheet, .pdf or .html."
)
@home_option
@json_option
def setup(answers: Path | None, template: Path | None, handover: Path | None, home: Path, as_json: bool) -> None:
    """The technician's first visit, step by step, from the county to the hand-over sheet.

    Take the steps in any order, skip, go back (<), leave at any time (q or Ctrl-C) and come again: what is done is
    read from the home itself, so what was imported by hand counts, too. A wrong file is told and changes nothing.

    --json prints how the steps stand; with --answers after they were taken.

    \b
    Examples:
      wanmi setup
      wanmi setup --template people.xlsx
      wanmi setup --answers county.toml
      wanmi setup --handover handover.pdf
    """
    from provisioning.import_files import native

    native.load()
    home = home.absolute()  # restic runs in another folder
    if template is not None:
        from provisioning.setup.workbook import write_template

        write_template(template)
        say(f"已写 {template} / written")
    if handover is not None:
        from provisioning.setup.handover import write_handover

        write_handover(home, handover)
        say(f"已写 {handover} / written")
    if template is None and handover is None:
        _visit(home, answers, as_json)
    elif as_json:
        show({"template": template and str(template), "handover": handover and str(handover)})


def _visit(home: Path, answers: Path | None, as_json: bool) -> None:
    from provisioning.setup.answers import read_answers
    from provisioning.setup.wizard import Visit, visit_at_terminal, visit_by_answers

    if answers is not None:
        visit_by_answers(home, read_answers(answers), answers.parent)
    elif not as_json:
        visit_at_terminal(home)
    if as_json:
        show({"home": str(home), "steps": Visit(home).as_list()})
        sys.stdout.flush()
