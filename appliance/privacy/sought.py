"""Whose data is meant: a person by telephone, by e-mail, by a case, by account, or by a digest of one of these."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from appliance.errors import FieldError, Invalid
from appliance.messages.words import TELEPHONE

BY = ("phone", "email", "case", "account", "name")
NO_DIGIT = re.compile(r"\D+")
DIGITS_AT_LEAST = 5
"""Short numbers such as 12345 are somebody's too; what is shorter stands in every address."""
BLANKED = "***"
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def digits(phone: str | None) -> str:
    """A telephone number as it is compared: its digits, without the code of the country."""
    found = NO_DIGIT.sub("", phone or "")
    return found[2:] if len(found) == 13 and found.startswith("86") else found


def plain(by: str, value: str) -> str:
    """The one spelling of a value under which it is compared.

    Raises:
        Invalid: not a way of naming a person, or too little of a number.
    """
    if by not in BY:
        raise Invalid(f"不能按 {by} 查找;可用: {'、'.join(BY)}。", f"Nobody is found by {by}; use {', '.join(BY)}.")
    spelt = digits(value) if by == "phone" else value.strip().lower() if by == "email" else value.strip()
    if not spelt or (by == "phone" and len(spelt) < DIGITS_AT_LEAST):
        raise Invalid(
            f"{by} 太短,无法确定是谁。",
            f"This {by} is too short to mean one person.",
            fields=(FieldError(by, "太短", "too short"),),
        )
    return spelt


@dataclass(frozen=True, slots=True)
class Sought:
    """Tells a person's values from others.

    Attributes:
        phone, email, account: whether a plain value is the person's. case: the same for number and time of report.
        tail: the last digits of the number, by which rows are found sooner; "" where it is not known.
        name: the exact name of a reporter; "" for none.
    """

    phone: Callable[[str], bool] = lambda _: False
    email: Callable[[str], bool] = lambda _: False
    account: Callable[[str], bool] = lambda _: False
    case: Callable[[str, int], bool] = lambda _number, _at: False
    tail: str = ""
    name: str = ""

    def in_text(self, written: str) -> bool:
        """Whether the person's telephone or e-mail stands in a text."""
        return any(self.phone(digits(each)) for each in TELEPHONE.findall(written)) or any(
            self.email(each.lower()) for each in _EMAIL.findall(written)
        )

    def blank(self, value: Any, words: frozenset[str] = frozenset()) -> Any:
        """A text, or a document with texts in it, without the person's telephone and e-mail.

        Args:
            words: further words to be taken out, such as the person's name in a case of theirs.
        """
        if isinstance(value, dict):
            return {key: self.blank(each, words) for key, each in value.items()}
        if isinstance(value, list):
            return [self.blank(each, words) for each in value]
        if not isinstance(value, str):
            return BLANKED if isinstance(value, int) and self.phone(str(value)) else value
        blanked = TELEPHONE.sub(lambda found: BLANKED if self.phone(digits(found[0])) else found[0], value)
        blanked = _EMAIL.sub(lambda found: BLANKED if self.email(found[0].lower()) else found[0], blanked)
        for word in sorted(words, key=len, reverse=True):
            blanked = blanked.replace(word, BLANKED)
        return blanked


def sought(by: str, value: str) -> Sought:
    """The person of a value.

    Raises:
        Invalid: as `plain`.
    """
    spelt = plain(by, value)
    if by == "phone":
        return Sought(phone=lambda each: each == spelt, tail=spelt[-4:])
    if by == "email":
        return Sought(email=lambda each: each == spelt)
    if by == "account":
        return Sought(account=lambda each: each == spelt)
    if by == "name":
        return Sought(name=spelt)
    return Sought(case=lambda number, _: number == spelt)


def digest(salt: str, by: str, spelt: str) -> str:
    """Under which a plain value stands in the list of deletions."""
    return hashlib.sha256(f"{salt}:{by}:{spelt}".encode()).hexdigest()


def case_value(number: str, reported_at: int) -> str:
    """A case as it is listed: a number that a restored county gives a second time is another case."""
    return f"{number}@{reported_at}"
