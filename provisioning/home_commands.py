"""`wanmi init`, `wanmi users` and `wanmi keys`: making a home, and who may enter it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from appliance.errors import Invalid

if TYPE_CHECKING:
    from appliance.records.store import Records

FOLDERS = ("evidence", "keys", "backups", "log")
TECHNICIAN = "technician"
HOME = click.option("--home", type=click.Path(path_type=Path), help="The node's folder (default: WANMI_HOME).")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@contextmanager
def opened(home: Path | None) -> Iterator[Records]:
    """The records of the home, closed at the end."""
    from appliance.records.store import Records
    from appliance.settings import home_path

    records = Records.open(home_path(home))
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
@HOME
@JSON
def init(county: str, name: str, edition: str, admin: str, home: Path | None, as_json: bool) -> None:
    """Make a home: settings, database, and the first account.

    The password comes from WANMI_PASSWORD or a prompt.
    """
    from appliance.settings import home_path

    target = home_path(home)
    made = make_home(target, county=county, name=name, edition=edition, admin=admin)
    if as_json:
        click.echo(json.dumps(made, ensure_ascii=False))
    else:
        click.echo(
            f"{target} 已建好,账号 {admin};启动: wanmi serve --home {target} (made)"
        )


def make_home(
    home: Path, *, county: str, name: str = "", edition: str = "2026", admin: str = "admin", password: str | None = None
) -> dict[str, Any]:
    """Make a home with its first account.

    Raises:
        BadHome: there is a node already. Invalid: a wrong county code or too short a password.
    """
    from appliance.people.accounts import add_account, hash_password
    from appliance.records.store import Records, create_database
    from appliance.settings import FILE, SignIn, load, save

    check_new(home, county)
    secret = password if password is not None else asked_password()
    hashed = hash_password(secret, SignIn())
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.chmod(0o700)
    for folder in FOLDERS:
        (home / folder).mkdir(exist_ok=True, mode=0o700)
    if not (home / FILE).exists():
        save(home, {"county": county, "edition": edition, **({"name": name} if name else {})})
    settings = load(home)
    create_database(home, settings)
    records = Records.open(home, settings=settings)
    try:
        roles = frozenset(("admin", "technician"))
        records.write(
            lambda unit: add_account(unit, account=admin, name=admin, roles=roles, by=TECHNICIAN, password_hash=hashed)
        )
    finally:
        records.close()
    return {"home": str(home), "county": county, "name": name, "edition": edition, "admin": admin}


def check_new(home: Path, county: str) -> None:
    """Refuse a wrong county code and a home that is in use, before anything is asked or made."""
    from appliance.errors import BadHome, FieldError
    from appliance.records.store import DATABASE

    if not (len(county) == 6 and county.isascii() and county.isdigit()):
        raise Invalid(
            f"区划代码须为 6 位数字,例如 411081,得到 {county}。",
            f"The county's code has 6 digits, as 411081; got {county}.",
            fields=(FieldError("county", "须为 6 位数字", "must have 6 digits"),),
        )
    if (home / DATABASE).exists():
        raise BadHome(
            f"{home} 里已经有节点;请换一个目录,或直接 wanmi serve --home {home}。",
            f"There is a node in {home} already; choose another folder, or run wanmi serve --home {home}.",
        )


@click.group()
def users() -> None:
    """Accounts: add, list, change the password, end."""


@users.command("add")
@click.argument("account")
@click.option("--name", required=True, help="The person's name.")
@click.option("--roles", required=True, help="Roles joined by |, for example acceptor|dispatcher.")
@click.option("--department", help="Code of the person's department.")
@click.option("--phone", help="Telephone.")
@HOME
@JSON
def users_add(
    account: str, name: str, roles: str, department: str | None, phone: str | None, home: Path | None, as_json: bool
) -> None:
    """Add ACCOUNT; the password comes from WANMI_PASSWORD or a prompt."""
    from appliance.people.accounts import add_account, hash_password
    from appliance.people.roles import split_roles

    with opened(home) as records:
        hashed = hash_password(asked_password(), records.settings.sign_in)
        records.write(
            lambda unit: add_account(
                unit, account=account, name=name, roles=split_roles(roles), by=TECHNICIAN, department=department,
                phone=phone, password_hash=hashed, new_password_due=True,
            )
        )  # fmt: skip
    told({"account": account, "name": name, "roles": sorted(split_roles(roles))}, f"已添加 {account} (added)", as_json)


@users.command("list")
@click.option("--role", help="Only accounts with this role.")
@HOME
@JSON
def users_list(role: str | None, home: Path | None, as_json: bool) -> None:
    """List the accounts."""
    from appliance.people.accounts import list_accounts

    with opened(home) as records, records.read() as connection:
        rows = list_accounts(connection, role=role, ended=True)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        ended = "" if row["active"] else "\t已停用 (ended)"
        click.echo(f"{row['account']}\t{row['name']}\t{'|'.join(row['roles'])}\t{row['department'] or ''}{ended}")


@users.command("password")
@click.argument("account")
@HOME
@JSON
def users_password(account: str, home: Path | None, as_json: bool) -> None:
    """Give ACCOUNT a new password and unlock it."""
    from appliance.people.accounts import hash_password, set_password

    with opened(home) as records:
        hashed = hash_password(asked_password(), records.settings.sign_in)
        records.write(lambda unit: set_password(unit, account, hashed, by=TECHNICIAN))
    told({"account": account}, f"{account} 的密码已更换 (the password was changed)", as_json)


@users.command("deactivate")
@click.argument("account")
@HOME
@JSON
def users_deactivate(account: str, home: Path | None, as_json: bool) -> None:
    """End ACCOUNT; its name stays in the history."""
    from appliance.people.accounts import deactivate

    with opened(home) as records:
        records.write(lambda unit: deactivate(unit, account, by=TECHNICIAN))
    told({"account": account, "active": False}, f"{account} 已停用 (ended)", as_json)


@click.group()
def keys() -> None:
    """Keys of other systems: Open311 clients and device agents."""


@keys.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(["public", "device"]), default="public", help="What the key is for.")
@click.option("--source", default="web", help="Case source of what comes in with it (see GET /api/v1/sources).")
@HOME
@JSON
def keys_add(name: str, role: str, source: str, home: Path | None, as_json: bool) -> None:
    """Make a key called NAME. It is shown once and never stored."""
    from appliance.codes.book import CodeBook
    from appliance.people.keys import add_key

    CodeBook.national().source(source)
    with opened(home) as records:
        key = records.write(lambda unit: add_key(unit, name, role=role, source=source, by=TECHNICIAN))
    told({"name": name, "key": key, "role": role, "source": source}, key, as_json)


@keys.command("list")
@HOME
@JSON
def keys_list(home: Path | None, as_json: bool) -> None:
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
@HOME
@JSON
def keys_end(name: str, home: Path | None, as_json: bool) -> None:
    """End the key called NAME."""
    from appliance.people.keys import end_key

    with opened(home) as records:
        records.write(lambda unit: end_key(unit, name, by=TECHNICIAN))
    told({"name": name, "ended": True}, f"{name} 已停用 (ended)", as_json)


def told(value: dict[str, Any], sentence: str, as_json: bool) -> None:
    """Print the result."""
    click.echo(json.dumps(value, ensure_ascii=False) if as_json else sentence)
