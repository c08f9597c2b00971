"""Papers as pages: templates with their facts filled in. A county's own in `papers/` of its home comes first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from appliance.errors import BadFile

SHIPPED = Path(__file__).with_name("templates")
FOLDER = "papers"
ENDING = ".html.j2"


def page_of(home: Path, template: str, facts: Mapping[str, Any]) -> str:
    """A page: the template's name without its ending, and what is filled in.

    Raises:
        BadFile: the county's template is wrong; names file, line and reason.
    """
    environment = SandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(home / FOLDER), FileSystemLoader(SHIPPED)]),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    try:
        return environment.get_template(f"{template}{ENDING}").render(facts)
    except TemplateSyntaxError as error:
        raise _wrong(error.name or template, error.lineno, str(error)) from None
    except (TemplateError, TypeError, ValueError, ArithmeticError, UnicodeDecodeError) as error:
        raise _wrong(f"{template}{ENDING}", _line(error), str(error)) from None


def check_templates(home: Path) -> None:
    """Read the county's own templates, without filling them.

    Raises:
        BadFile: one is wrong.
    """
    for file in sorted((home / FOLDER).glob(f"*{ENDING}")):
        try:
            SandboxedEnvironment().parse(file.read_text(encoding="utf-8"))
        except TemplateSyntaxError as error:
            raise _wrong(file.name, error.lineno, str(error)) from None
        except (OSError, UnicodeDecodeError) as error:
            raise _wrong(file.name, 0, str(error)) from None


def _line(error: BaseException) -> int:
    """The line of the template in which it failed."""
    traceback, line = error.__traceback__, 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename.endswith(ENDING):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _wrong(name: str, line: int, why: str) -> BadFile:
    return BadFile(
        f"文书模板 {name} 第 {line} 行不对: {why};请改正 papers/{name},或删去它以使用自带的模板。",
        f"The template {name}, line {line}, is wrong: {why}; correct papers/{name}, or remove it for the shipped one.",
    )
