"""Making a home: folders, settings, database, the first administrator. All of it, or nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from appliance.cases.numbers import check_format
from appliance.errors import BadHome, FieldError, Invalid
from appliance.people.accounts import add_account, hash_password
from appliance.records.acts import append_act
from appliance.records.store import DATABASE, Records, create_database
from appliance.records.writer import Unit
from appliance.settings import FILE, load, save

FOLDERS = ("evidence", "keys", "backups", "log")


def make_home(
    home: Path,
    *,
    county: str,
    name: str,
    edition: str,
    admin: str | None = None,
    password: str | None = None,
    settings: dict[str, Any] | None = None,
) -> None:
    """Make a home.

    Args:
        settings: further values for `wanmi.toml`.

    Raises:
        BadHome: something is there already. Invalid: not a county code, or too short a password.
    """
    if not (county.isascii() and county.isdigit() and len(county) == 6):
        raise Invalid(
            f"县代码须为六位数字 (GB/T 2260),得到 {county}。",
            f"A county code has six digits (GB/T 2260); got {county}.",
            fields=(FieldError("county", "须为六位数字", "six digits"),),
        )
    if (home / FILE).exists() or (home / DATABASE).exists():
        raise BadHome(f"{home} 已经是一个节点的家目录,不会覆盖。", f"{home} is a home already; it is not overwritten.")
    existed = home.exists()
    try:
        _make(home, {"county": county, "name": name, "edition": edition, **(settings or {})}, admin, password)
    except BaseException:
        _take_back(home, existed)
        raise


def _make(home: Path, values: dict[str, Any], admin: str | None, password: str | None) -> None:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in FOLDERS:
        (home / folder).mkdir(mode=0o700, exist_ok=True)
    save(home, values)
    loaded = load(home)
    check_format(loaded.desk.case_number)
    hashed = hash_password(password or "", loaded.sign_in, admin) if admin else None
    create_database(home, loaded)
    records = Records.open(home)

    def first(unit: Unit) -> None:
        append_act(unit, "technician", "init", loaded.county, {"edition": loaded.edition})
        if admin:
            add_account(
                unit, account=admin, name=admin, roles=frozenset(("admin", "technician")), by="technician",
                password_hash=hashed,
            )  # fmt: skip

    try:
        records.write(first)
    finally:
        records.close()


def _take_back(home: Path, existed: bool) -> None:
    for path in [*(home / folder for folder in FOLDERS), home / FILE, *home.glob(f"{DATABASE}*")]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if not existed and home.exists():
        home.rmdir()
