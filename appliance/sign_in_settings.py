"""Settings of people: rules of the sign-in, and for how long personal data is kept."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Role = Literal[
    "collector", "acceptor", "shift_leader", "dispatcher", "department", "leader", "assessor", "admin", "technician"
]
"""The roles of `appliance/people/roles.py`; settings are read by folders that know no people."""


class Privacy(BaseModel):
    """Personal data (个人信息保护法).

    Attributes:
        keep_reporters_days: reporters of cases closed longer ago are forgotten; 0 keeps them for ever. Two years: an
            evaluated year, and the year in which it may be appealed and audited.
    """

    keep_reporters_days: int = Field(default=730, ge=0, le=36_600)


class SignIn(BaseModel):
    """Sign-in rules: lock-out after wrong passwords, life of a session, what a password must be.

    Attributes:
        idle_minutes: a session on which nothing is asked for so long has ended; 0 for none.
        password_kinds: of small letters, capitals, digits and other signs so many.
        second_factor_roles: accounts with one of these roles are told to get a second factor; they get in without one.
    """

    wrong_passwords: int = Field(default=5, ge=1)
    lock_minutes: float = Field(default=15, gt=0)
    session_hours: float = Field(default=12, gt=0)
    idle_minutes: float = Field(default=60, ge=0)
    password_length: int = Field(default=8, ge=6)
    password_kinds: int = Field(default=2, ge=1, le=4)
    new_password_at_first_sign_in: bool = False
    second_factor_roles: list[Role] = []
