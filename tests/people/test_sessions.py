"""Signing in, being locked out, signing out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.errors import Invalid, LockedOut, NotSignedIn
from appliance.people import accounts
from appliance.people.sessions import Sessions
from appliance.records.store import Records
from appliance.sign_in_settings import SignIn
from tests.homes import PASSWORD

clock_at_nine = 1_791_500_400_000_000


@pytest.fixture
def records(home: Path) -> Iterator[Records]:
    opened = Records.open(home, clock=ManualClock(clock_at_nine))
    yield opened
    opened.close()


def test_a_session_is_found_in_memory_and_ends_at_its_time(records: Records) -> None:
    sessions = Sessions(records)
    signed_in = sessions.sign_in("d1", PASSWORD)
    assert signed_in.actor.subtree == {"D01", "D0101"}
    assert sessions.find(signed_in.token) is None
    with records.read() as connection:
        assert sessions.look_up(connection, signed_in.token).account == "d1"
    assert sessions.find(signed_in.token) is not None
    records.clock.advance(hours=12.1)  # type: ignore[attr-defined]
    assert sessions.find(signed_in.token) is None
    with records.read() as connection, pytest.raises(NotSignedIn):
        sessions.look_up(connection, signed_in.token)


def test_the_token_is_not_in_the_database(records: Records) -> None:
    token = Sessions(records).sign_in("s1", PASSWORD).token
    with records.read() as connection:
        stored = connection.exec_driver_sql("SELECT token_hash FROM session").scalars().all()
    assert token not in stored
    assert len(stored) == 1


def test_five_wrong_passwords_lock_the_account_for_a_while(records: Records) -> None:
    sessions = Sessions(records)
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            sessions.sign_in("s1", "wrong-one")
    with pytest.raises(LockedOut) as locked:
        sessions.sign_in("s1", PASSWORD)
    assert 0 < locked.value.extra["retry_after"] <= 15 * 60 + 1
    records.clock.advance(minutes=16)  # type: ignore[attr-defined]
    assert sessions.sign_in("s1", PASSWORD).actor.account == "s1"


def test_a_session_that_is_left_alone_ends(records: Records) -> None:
    sessions = Sessions(records)
    used, left = (sessions.sign_in("s1", PASSWORD).token for _ in range(2))
    for minutes in (0, 59, 59):
        records.clock.advance(minutes=minutes)  # type: ignore[attr-defined]
        with records.read() as connection:
            assert (sessions.find(used) or sessions.look_up(connection, used)).account == "s1"
            if not minutes:
                sessions.look_up(connection, left)
    assert sessions.find(left) is None
    with records.read() as connection, pytest.raises(NotSignedIn, match="too long"):
        sessions.look_up(connection, left)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Ab-1", "at least 8"), ("onlysmallletters", "needs 2 of"), ("Zhangsan2026", "the account itself"),
        ("1qaz2wsx", "tried first"), ("PassWord123", "tried first"),
    ],
)  # fmt: skip
def test_a_password_that_is_guessed_easily_is_refused(password: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        accounts.hash_password(password, SignIn(), "zhangsan")
    assert accounts.hash_password("xiyuan-0907", SignIn(), "zhangsan").startswith("$argon2id$")


def test_signing_out_ends_the_session_at_once(records: Records) -> None:
    sessions = Sessions(records)
    token = sessions.sign_in("s1", PASSWORD).token
    sessions.sign_out(token)
    with records.read() as connection, pytest.raises(NotSignedIn):
        sessions.look_up(connection, token)


def test_an_ended_account_is_out_and_its_neighbours_are_named(records: Records) -> None:
    sessions = Sessions(records)
    token = sessions.sign_in("l2", PASSWORD).token
    records.write(lambda unit: accounts.deactivate(unit, "l2", by="admin"))
    with records.read() as connection:
        with pytest.raises(NotSignedIn):
            sessions.look_up(connection, token)
        with pytest.raises(accounts.UnknownCode) as unknown:
            accounts.actor_of(connection, "l2")
    assert any("l1" in near for near in unknown.value.fields[0].nearest)
