"""A telephone's six digits beside the password: each good once, drift forgiven, recovery codes for a lost telephone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pyotp
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from appliance.clock import SECOND, ManualClock
from appliance.errors import Broken, Conflict, LockedOut, NotFound, SecondFactorNeeded, SecondFactorWrong, WanmiError
from appliance.people import accounts
from appliance.people.checks import check_people
from appliance.people.roles import ROLE_NAMES
from appliance.people.second_factor import KEY, STEP, ensure_key, step_of, turn_on
from appliance.people.sessions import Sessions
from appliance.records.store import Records
from appliance.sign_in_settings import Role
from provisioning.home_commands import users
from tests.homes import PASSWORD

NINE = 1_791_500_400_000_000
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""`12345678901234567890` in base32, the key of RFC 6238's vectors."""


@pytest.fixture
def records(home: Path) -> Iterator[Records]:
    opened = Records.open(home, clock=ManualClock(NINE))
    yield opened
    opened.close()


class Telephone:
    """An account's telephone with its app, and the sheet of recovery codes."""

    def __init__(self, records: Records, account: str = "s1") -> None:
        ensure_key(records.home)
        given = records.write(lambda unit: turn_on(unit, records.home, account, "禹州市", by="technician"))
        self.records, self.recovery_codes = records, given.recovery_codes
        self.device = pyotp.parse_uri(given.uri)

    def code(self, steps: int = 0) -> str:
        """What it shows; `steps` of 30 s before or after the node's clock."""
        assert isinstance(self.device, pyotp.TOTP)
        return self.device.at((self.records.clock.now() + steps * STEP) // SECOND)


def later(records: Records, **parts: float) -> None:
    records.clock.advance(**parts)  # type: ignore[attr-defined]  # the clock of these tests is moved by hand


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
        (2_000_000_000, "279037"), (20_000_000_000, "353130"),
    ],
)  # fmt: skip
def test_the_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    """Appendix B, the last six of its eight digits."""
    assert step_of(RFC_SECRET, code, seconds * SECOND, None) == seconds // 30


def test_the_password_alone_is_not_enough_and_says_so(records: Records) -> None:
    sessions, telephone = Sessions(records), Telephone(records)
    with pytest.raises(SecondFactorNeeded):
        sessions.sign_in("s1", PASSWORD)
    typed = " ".join((telephone.code()[:3], telephone.code()[3:])).translate(
        {ord("0") + n: 0xFF10 + n for n in range(10)}
    )
    assert sessions.sign_in("s1", PASSWORD, typed).actor.account == "s1"
    assert sessions.sign_in("s2", PASSWORD).actor.account == "s2", "others go on as before"


def test_digits_of_another_script_are_a_wrong_code(records: Records) -> None:
    telephone = Telephone(records)
    typed = telephone.code().translate({ord("0") + n: 0x0660 + n for n in range(10)})
    with pytest.raises(SecondFactorWrong):
        Sessions(records).sign_in("s1", PASSWORD, typed)


def test_a_code_is_good_once_and_so_is_every_older_one(records: Records) -> None:
    sessions, telephone = Sessions(records), Telephone(records)
    before, seen = telephone.code(-1), telephone.code()
    sessions.sign_in("s1", PASSWORD, seen)
    for code in (seen, before):
        with pytest.raises(SecondFactorWrong):
            sessions.sign_in("s1", PASSWORD, code)
    later(records, seconds=30)
    assert sessions.sign_in("s1", PASSWORD, telephone.code())


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_telephone_may_be_half_a_minute_wrong_and_no_more(records: Records, steps: int, good: bool) -> None:
    code = Telephone(records).code(steps)
    if good:
        assert Sessions(records).sign_in("s1", PASSWORD, code)
        return
    with pytest.raises(SecondFactorWrong):
        Sessions(records).sign_in("s1", PASSWORD, code)


def test_a_recovery_code_is_good_once_and_for_its_account_alone(records: Records) -> None:
    sessions, telephone, other = Sessions(records), Telephone(records), Telephone(records, "s2")
    assert len(set(telephone.recovery_codes)) == 10
    first = telephone.recovery_codes[0]
    with pytest.raises(SecondFactorWrong):
        sessions.sign_in("s2", PASSWORD, first)
    assert sessions.sign_in("s1", PASSWORD, first.lower().replace("-", " "))
    with pytest.raises(SecondFactorWrong):
        sessions.sign_in("s1", PASSWORD, first)
    assert sessions.sign_in("s2", PASSWORD, other.recovery_codes[9])
    with records.read() as connection:
        detail = connection.execute(
            text("SELECT detail FROM admin_act WHERE act = 'account.recovery_code' AND subject = 's1'")
        ).scalar_one()
    assert json.loads(detail) == {"left": 9}


def test_wrong_codes_lock_like_wrong_passwords_and_the_right_password_forgives_none(records: Records) -> None:
    sessions, telephone = Sessions(records), Telephone(records)
    for code in ("000000", "ABCD-EFGH-JKLM", "000000", "", "000000", "000000"):
        with pytest.raises(SecondFactorWrong if code else SecondFactorNeeded):
            sessions.sign_in("s1", PASSWORD, code)
    with pytest.raises(LockedOut):
        sessions.sign_in("s1", PASSWORD, telephone.code())
    later(records, minutes=16)
    assert sessions.sign_in("s1", PASSWORD, telephone.code())


def test_who_reads_the_database_alone_gets_nothing_of_use(records: Records) -> None:
    telephone = Telephone(records)
    with records.read() as connection:
        rows = connection.execute(text("SELECT * FROM second_factor")).all()
        rows += connection.execute(text("SELECT * FROM recovery_code")).all()
        rows += connection.execute(text("SELECT * FROM admin_act WHERE subject = 's1'")).all()
    stored = str(rows)
    assert telephone.device.secret not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in telephone.recovery_codes)
    assert "account.second_factor.on" in stored
    assert (records.home / KEY).stat().st_mode & 0o077 == 0


def test_a_lost_key_is_told_by_sign_in_and_doctor_and_the_box_lets_the_account_in_again(records: Records) -> None:
    sessions, telephone = Sessions(records), Telephone(records)
    (records.home / KEY).unlink()
    with pytest.raises(Broken, match="second-factor"):
        sessions.sign_in("s1", PASSWORD, telephone.code())
    said = finding(records.home)
    assert (said.result, "second-factor s1 off" in said.en) == ("failed", True)
    done(records.home, "s1", "off")
    assert sessions.sign_in("s1", PASSWORD)


def test_who_should_have_one_gets_in_without_and_is_told(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody, least of all the last administrator, is locked out by a setting."""
    monkeypatch.setenv("WANMI_SIGN_IN__SECOND_FACTOR_ROLES", '["admin"]')
    records.settings.sign_in.second_factor_roles = ["admin"]
    sessions = Sessions(records)
    assert sessions.sign_in("admin", PASSWORD).second_factor_due
    assert not sessions.sign_in("s1", PASSWORD).second_factor_due
    said = finding(records.home)
    assert (said.result, "second-factor admin on" in said.en) == ("warning", True)
    telephone = Telephone(records, "admin")
    assert not sessions.sign_in("admin", PASSWORD, telephone.code()).second_factor_due
    assert finding(records.home).result == "passed"
    assert set(get_args(Role)) == ROLE_NAMES.keys(), "the setting knows every role"


def test_an_ended_account_leaves_no_secret(records: Records) -> None:
    Telephone(records)
    records.write(lambda unit: accounts.deactivate(unit, "s1", by="admin"))
    with records.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM second_factor")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM recovery_code")).scalar_one() == 0


def test_the_technician_turns_it_on_shows_the_sheet_once_and_turns_it_off(records: Records) -> None:
    home, token = records.home, Sessions(records).sign_in("s1", PASSWORD).token
    given = done(home, "s1", "on")
    assert given["uri"].startswith("otpauth://totp/")
    assert len(given["recovery_codes"]) == 10
    with records.read() as connection, pytest.raises(WanmiError, match="sign in again"):
        Sessions(records).look_up(connection, token)
    assert isinstance(refused(home, "s1", "on"), Conflict), "a telephone that works is not replaced by mistake"
    assert isinstance(refused(home, "nobody", "on"), NotFound)
    sheet = CliRunner().invoke(users, ["second-factor", "s2", "on", "--home", str(home)])
    listed = CliRunner().invoke(users, ["list", "--home", str(home)]).stdout.splitlines()
    assert [line.split("\t")[0] for line in listed if "两步验证" in line] == ["s1", "s2"], (
        "the technician sees who has one"
    )
    assert sheet.exit_code == 0
    assert "▄" in sheet.output, "a QR code to scan"
    assert "otpauth://totp/" in sheet.output
    assert done(home, "s1", "off") == {"account": "s1", "second_factor": False}
    assert isinstance(refused(home, "s1", "off"), NotFound)


def done(home: Path, *arguments: str) -> Any:
    result = CliRunner().invoke(users, ["second-factor", *arguments, "--home", str(home), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(home: Path, *arguments: str) -> BaseException | None:
    return CliRunner().invoke(users, ["second-factor", *arguments, "--home", str(home)]).exception


def finding(home: Path) -> Any:
    return next(each for each in check_people(home) if each.check == "people.second_factor")
