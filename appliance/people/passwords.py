"""What a password must be: long, of more than one kind of sign, not the account, none of those tried first."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import digits, punctuation

from appliance.errors import FieldError, Invalid
from appliance.sign_in_settings import SignIn

COMMON = Path(__file__).with_name("common_passwords.txt")
"""A line each, in lower case."""


def check_password(password: str, rules: SignIn, account: str = "") -> None:
    """Refuse a password that is guessed easily (GB/T 22239-2019 7.1.4.1 a).

    Raises:
        Invalid: the first rule that it breaks.
    """
    if len(password) < rules.password_length:
        raise _refused(
            f"密码至少 {rules.password_length} 位。",
            f"A password needs at least {rules.password_length} characters.",
            ("太短", "too short"),
        )
    if _kinds(password) < rules.password_kinds:
        raise _refused(
            f"密码须含小写字母、大写字母、数字、符号中的 {rules.password_kinds} 种。",
            f"A password needs {rules.password_kinds} of: small letters, capitals, digits, other signs.",
            ("种类太少", "too few kinds of signs"),
        )
    written = password.casefold()
    if account and written.strip(digits + punctuation) == account.casefold().strip(digits + punctuation) != "":
        raise _refused(
            "密码不能是账号本身。", "The password must not be the account itself.", ("与账号相同", "the account")
        )
    if written in _common():
        raise _refused("密码太常见,请换一个。", "This password is among those tried first.", ("太常见", "too common"))


def _kinds(password: str) -> int:
    tests = (
        str.islower,
        str.isupper,
        str.isdigit,
        lambda sign: not (sign.isdigit() or sign.islower() or sign.isupper()),
    )
    return sum(any(map(test, password)) for test in tests)


@cache
def _common() -> frozenset[str]:
    return frozenset(COMMON.read_text(encoding="utf-8").split())


def _refused(zh: str, en: str, field: tuple[str, str]) -> Invalid:
    return Invalid(zh, en, fields=(FieldError("password", *field),))
