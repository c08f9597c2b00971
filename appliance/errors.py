"""The refusals of the house. They know no HTTP and no terminal.

Each class has a stable `kind` (the tail of the problem `type` URI outside), a sentence in Chinese and one in
English, and optional `fields` that name what was wrong. `server/problems.py` maps them to status codes,
`appliance/cli.py` to exit codes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its name (dotted path), what is wrong in both languages, and the nearest valid values."""

    field: str
    zh: str
    en: str
    nearest: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"nearest": list(self.nearest)}


class WanmiError(Exception):
    """A refusal: what is wrong, where, and what to do next.

    Args:
        zh: one sentence for the operator.
        en: the same sentence in English.
        fields: the wrong fields, if it is about fields.
        extra: further facts for machines (for example the allowed actions).
    """

    kind: ClassVar[str] = "refused"

    def __init__(self, zh: str, en: str, *, fields: tuple[FieldError, ...] = (), **extra: Any) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en
        self.fields = fields
        self.extra = extra

    def sentence(self, language: str) -> str:
        """The sentence in `language` ("zh" or "en")."""
        return self.zh if language == "zh" else self.en


class Invalid(WanmiError):
    """The input has a wrong or missing value."""

    kind = "invalid"


class UnknownCode(WanmiError):
    """A class, department, account, source or other code that no table holds; `fields[0].nearest` helps."""

    kind = "unknown-code"


class UnknownPlace(WanmiError):
    """A position outside the county or an address that nothing matches."""

    kind = "unknown-place"


class NotFound(WanmiError):
    """No record under this number or code."""

    kind = "not-found"


class Gone(WanmiError):
    """A cursor from which nobody can go on any more; a snapshot is to be taken."""

    kind = "gone"


class NotAllowed(WanmiError):
    """This action is not possible from this state; `extra["allowed"]` names those that are."""

    kind = "action-not-allowed"


class Forbidden(WanmiError):
    """This role, or this person, may not do it."""

    kind = "forbidden"


class StaleVersion(WanmiError):
    """Somebody else changed the record first; `extra["version"]` is the present version."""

    kind = "stale-version"


class VersionRequired(WanmiError):
    """The caller did not say which version it saw."""

    kind = "version-required"


class Conflict(WanmiError):
    """It contradicts what is already there (a key used with another body, a code taken twice)."""

    kind = "conflict"


class NotSignedIn(WanmiError):
    """No valid session."""

    kind = "not-signed-in"


class SecondFactorNeeded(WanmiError):
    """The password is right, and the account has a second factor: sign in again with a `code`."""

    kind = "second-factor-needed"


class SecondFactorWrong(WanmiError):
    """The password is right and the `code` is wrong, too old, or was used before."""

    kind = "second-factor-wrong"


class LockedOut(WanmiError):
    """Too many wrong passwords or codes; `extra["retry_after"]` is in seconds."""

    kind = "locked-out"


class TooMany(WanmiError):
    """More requests than allowed; `extra["retry_after"]` is in seconds."""

    kind = "too-many"


class TooLarge(WanmiError):
    """A body or file over its limit."""

    kind = "too-large"


class BadFile(WanmiError):
    """A file that cannot be read or placed; the sentence names file, row and field."""

    kind = "bad-file"


class BadHome(WanmiError):
    """The home is missing, of a newer schema, in use by another node, or damaged."""

    kind = "bad-home"


class Broken(WanmiError):
    """A check of our own records failed (audit chain, spatial index, settings)."""

    kind = "broken"
