"""Forms as data: fields with their choices, and the body that a filled form posts. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from appliance.i18n.letters import found_in, initials
from tui.show import parse_moment

TEXT, PICK, MOMENT, PLACE, FILES = "text", "pick", "moment", "place", "files"


class FieldProblem(Exception):
    """A field that cannot be sent as it stands; `label` is the key of the sentence, `why` its reason."""

    def __init__(self, field: str, label: str, why: str = "") -> None:
        super().__init__(f"{field}: {label} {why}".rstrip())
        self.field = field
        self.label = label
        self.why = why


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to pick: what is sent, what is shown, and the letters that find it."""

    value: str
    text: str
    letters: str = ""

    def matches(self, typed: str) -> bool:
        """Whether typed text finds it: a piece of its text or value, or of its pinyin letters."""
        wanted = typed.strip().lower()
        if wanted in self.text.lower() or self.value.lower().startswith(wanted):
            return True
        return wanted.isascii() and found_in(wanted.replace(" ", ""), self.letters or initials(self.text))


Finder = Callable[[str], list[Choice]]


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form.

    Attributes:
        name: the field's name in the body.
        kind: text (free, `choices` are suggestions), pick (one of `choices`), moment, place ("lon,lat"), files (paths).
        default: the value of a choice, or the text, that stands there at first.
        finder: looks choices up for a typed text, where there are too many to list.
        empty: an empty value is sent too, because it means something.
        label: what stands before it, where the table of labels has no `field.NAME` for it.
    """

    name: str
    kind: str = TEXT
    required: bool = False
    choices: tuple[Choice, ...] = ()
    default: str = ""
    finder: Finder | None = None
    empty: bool = False
    label: str = ""

    @property
    def free(self) -> bool:
        """Whether what is typed counts without being among the choices."""
        return self.kind != PICK

    def found(self, typed: str) -> list[Choice]:
        """The choices for a typed text."""
        if self.finder is not None:
            return self.finder(typed)
        return [choice for choice in self.choices if not typed.strip() or choice.matches(typed)]


@dataclass(frozen=True, slots=True)
class Form:
    """A small form that is posted to `path`; with an empty path it is only filled and its body is the answer.

    Attributes:
        title: what is done, in the operator's language.
        about: to what: number, class, address of the case.
        number: the case, None where there is none.
        versioned: send the case's version and look again when it is stale.
        stage: the stage of evidence files.
        fixed: members of the body that are not asked for.
        once: a key that makes a second sending harmless, after an answer that was lost.
        shape: makes the body of what was filled, where the node wants it in another shape; may raise `FieldProblem`.
    """

    title: str
    about: str
    path: str
    fields: tuple[Field, ...]
    number: str | None = None
    versioned: bool = True
    stage: str = "report"
    fixed: tuple[tuple[str, Any], ...] = ()
    once: str | None = None
    shape: Callable[[dict[str, Any]], dict[str, Any]] | None = None


def body_of(form: Form, values: dict[str, str]) -> dict[str, Any]:
    """The body of a filled form, without its files.

    Raises:
        FieldProblem: a needed field is empty, or a time or place cannot be read.
    """
    body: dict[str, Any] = dict(form.fixed)
    for field in form.fields:
        value = values.get(field.name, "").strip()
        if not value:
            if field.required:
                raise FieldProblem(field.name, "form.required")
            if field.empty:
                body[field.name] = ""
            continue
        if field.kind != FILES:
            body |= _members(field, value)
    return body if form.shape is None else form.shape(body)


def _members(field: Field, value: str) -> dict[str, Any]:
    if field.kind == MOMENT:
        try:
            return {field.name: parse_moment(value)}
        except (ValueError, IndexError):
            raise FieldProblem(field.name, "form.bad_moment") from None
    if field.kind == PLACE:
        try:
            lon, lat = (float(part) for part in value.replace(" ", ",").split(",") if part)
        except ValueError:
            raise FieldProblem(field.name, "form.bad_place") from None
        return {"lon": lon, "lat": lat}
    if field.name == "class":
        kind, _, code = value.partition(":")
        return {"kind": kind, "code": code}
    if field.name == "supervision":
        return {"supervision": int(value)}
    if field.name == "approve":
        return {"approve": value == "yes"}
    return {field.name: value}
