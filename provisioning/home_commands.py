"""`wanmi init`, `wanmi users` and `wanmi keys`: making a home, and who may enter it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from appliance.errors import Invalid
from appliance.options import home_option, json_option

if TYPE_CHECKING:
    from appliance.records.store import Records

TECHNICIAN = "technician"


@contextmanager
def opened(home: Path) -> Iterator[Records]:
    """The records of the home, closed at the end."""
    from appliance.records.store import Records

    records = Records.open(home)
    try:
        yield records
    finally:
        records.close()


def asked_password() -> str:
    """The password from WANMI_PASSWORD, else from a prompt."""
    given = os.environ.get("WANMI_PASSWORD")
    if given:
        return given
    try:
        return str(click.prompt("密码 Password", hide_input=True, confirmation_prompt=True, err=True))
    except click.Abort:
        raise Invalid(
            "没有密码;请在终端输入,或设置环境变量 WANMI_PASSWORD。",
            "No password; type it at a terminal, or set WANMI_PASSWORD.",
        ) from None


@click.command()
@click.option("--county", required=True, metavar="CODE", help="Administrative code of the county, for example 411081.")
@click.option("--name", default="", help="Name of the county, for example 禹州市.")
@click.option("--edition", type=click.Choice(["2026", "2013", "2007"]), default="2026", help="Edition of the codes.")
@click.option("--admin", default="admin", metavar="NAME", help="The first account; it gets the role admin.")
@click.option("--database-url", default="", metavar="URL", help="Records on PostGIS instead of a file in the home.")
@home_option
@json_option
def init(county: str, name: str, edition: str, admin: str, database_url: str, home: Path, as_json: bool) -> None:
    """Make a home: settings, database, and the first account.

    The password comes from WANMI_PASSWORD or a prompt.
    """
    from provisioning.home import make_home

    settings = {"database_url": database_url} if database_url else None
    make_home(
        home, county=county, name=name, edition=edition, admin=admin, password=asked_password(), settings=settings
    )
    made = {"home": str(home), "county": county, "name": name, "edition": edition, "admin": admin}
    told(made, f"{home} 已建好,账号 {admin};启动: wanmi serve --home {home} (made)", as_json)


@click.group()
def users() -> None:
    """Accounts: add, list, change the password, second factor, end."""


@users.command("add")
@click.argument("account")
@click.option("--name", required=True, help="The person's name.")
@click.option("--roles", required=True, help="Roles joined by |, for example acceptor|dispatcher.")
@click.option("--department", help="Code of the person's department.")
@click.option("--phone", help="Telephone.")
@home_option
@json_option
def users_add(
    account: str, name: str, roles: str, department: str | None, phone: str | None, home: Path, as_json: bool
) -> None:
    """Add ACCOUNT; the password comes from WANMI_PASSWORD or a prompt."""
    from appliance.people.accounts import add_account, hash_password
    from appliance.people.roles import split_roles

    with opened(home) as records:
        hashed = hash_password(asked_password(), records.settings.sign_in, account)
        records.write(
            lambda unit: add_account(
                unit, account=account, name=name, roles=split_roles(roles), by=TECHNICIAN, department=department,
                phone=phone, password_hash=hashed, new_password_due=True,
            )
        )  # fmt: skip
    told({"account": account, "name": name, "roles": sorted(split_roles(roles))}, f"已添加 {account} (added)", as_json)


@users.command("list")
@click.option("--role", help="Only accounts with this role.")
@home_option
@json_option
def users_list(role: str | None, home: Path, as_json: bool) -> None:
    """List the accounts."""
    from appliance.people.accounts import list_accounts

    with opened(home) as records, records.read() as connection:
        rows = list_accounts(connection, role=role, ended=True)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        marks = [
            *(["两步验证 (second factor)"] if row["second_factor"] else []),
            *([] if row["active"] else ["已停用 (ended)"]),
        ]
        words = (row["account"], row["name"], "|".join(row["roles"]), row["department"] or "", *marks)
        click.echo("\t".join(words))


@users.command("password")
@click.argument("account")
@home_option
@json_option
def users_password(account: str, home: Path, as_json: bool) -> None:
    """Give ACCOUNT a new password and unlock it."""
    from appliance.people.accounts import hash_password, set_password

    with opened(home) as records:
        hashed = hash_password(asked_password(), records.settings.sign_in, account)
        records.write(lambda unit: set_password(unit, account, hashed, by=TECHNICIAN))
    told({"account": account}, f"{account} 的密码已更换 (the password was changed)", as_json)


@users.command("second-factor")
@click.argument("account")
@click.argument("state", type=click.Choice(["on", "off"]))
@home_option
@json_option
def users_second_factor(account: str, state: str, home: Path, as_json: bool) -> None:
    """Give ACCOUNT a second factor for its sign-in, or take it away.

    `on` shows the code for the telephone's app and ten recovery codes, once; the account's sessions end.
    """
    from appliance.people.second_factor import ensure_key, turn_off, turn_on

    with opened(home) as records:
        if state == "off":
            records.write(lambda unit: turn_off(unit, account, by=TECHNICIAN))
            told({"account": account, "second_factor": False}, f"{account} 的两步验证已停用 (turned off)", as_json)
            return
        ensure_key(home)
        county = records.settings.name or records.settings.county
        given = records.write(lambda unit: turn_on(unit, home, account, county, by=TECHNICIAN))
    made = {"account": account, "second_factor": True, "uri": given.uri, "recovery_codes": list(given.recovery_codes)}
    told(made, "" if as_json else _second_factor_sheet(given.uri, given.recovery_codes), as_json)


def _second_factor_sheet(uri: str, codes: tuple[str, ...]) -> str:
    """What the person scans and keeps, as text."""
    import segno

    picture = io.StringIO()
    segno.make(uri, error="l").terminal(out=picture, border=2, compact=True)
    return (
        f"{picture.getvalue()}\n{uri}\n\n用手机的验证器扫码;下列备用码各用一次,抄下收好,不再显示。\n"
        "Scan it with the telephone's authenticator; each recovery code is good once; keep them, they are not shown "
        "again.\n\n" + "\n".join(codes)
    )


@users.command("deactivate")
@click.argument("account")
@home_option
@json_option
def users_deactivate(account: str, home: Path, as_json: bool) -> None:
    """End ACCOUNT; its name stays in the history."""
    from appliance.people.accounts import deactivate

    with opened(home) as records:
        records.write(lambda unit: deactivate(unit, account, by=TECHNICIAN))
    told({"account": account, "active": False}, f"{account} 已停用 (ended)", as_json)


@click.group()
def keys() -> None:
    """Keys of other systems: Open311 clients, device agents, wall screens."""


@keys.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(["public", "device", "wall"]), default="public", help="What the key is for.")
@click.option("--source", default="web", help="Case source of what comes in with it (see GET /api/v1/sources).")
@home_option
@json_option
def keys_add(name: str, role: str, source: str, home: Path, as_json: bool) -> None:
    """Make a key called NAME. It is shown once and never stored."""
    from appliance.codes.book import CodeBook
    from appliance.people.keys import add_key

    CodeBook.national().source(source)
    with opened(home) as records:
        key = records.write(lambda unit: add_key(unit, name, role=role, source=source, by=TECHNICIAN))
    told({"name": name, "key": key, "role": role, "source": source}, key, as_json)


@keys.command("list")
@home_option
@json_option
def keys_list(home: Path, as_json: bool) -> None:
    """List the keys by name."""
    from appliance.people.keys import list_keys

    with opened(home) as records, records.read() as connection:
        rows = list_keys(connection)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['name']}\t{row['role']}\t{row['source'] or ''}\t{row['created_at']}")


@keys.command("end")
@click.argument("name")
@home_option
@json_option
def keys_end(name: str, home: Path, as_json: bool) -> None:
    """End the key called NAME."""
    from appliance.people.keys import end_key

    with opened(home) as records:
        records.write(lambda unit: end_key(unit, name, by=TECHNICIAN))
    told({"name": name, "ended": True}, f"{name} 已停用 (ended)", as_json)


def told(value: dict[str, Any], sentence: str, as_json: bool) -> None:
    """Print the result."""
    click.echo(json.dumps(value, ensure_ascii=False) if as_json else sentence)
