"""Case numbers by the county's own format, and the citizens' query codes.

No national rule exists for case numbers, so the form is a setting: `{county}`, `{date:%Y%m%d}`, `{serial:05d}`. The
serial counts anew whenever the rest of the number changes.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from string import Formatter

from sqlalchemy import Connection

from appliance.errors import Invalid
from appliance.records.sql import Sql

_NEXT = Sql(
    "INSERT INTO case_counter (period, last) VALUES (:period, 1) "
    "ON CONFLICT (period) DO UPDATE SET last = case_counter.last + 1 RETURNING last"
)
_TAKEN = Sql("SELECT 1 FROM cases WHERE number = :number")
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
QUERY_CODE_LENGTH = 10


def check_format(form: str) -> None:
    """Make sure that a number format gives a new number for every case.

    Raises:
        Invalid: no `{serial}`, or an unknown field.
    """
    fields = {name for _, name, _, _ in Formatter().parse(form) if name is not None}
    unknown = fields - {"county", "date", "serial"}
    if unknown or "serial" not in fields:
        raise Invalid(
            f"案件编号格式 {form!r} 不对:必须含 {{serial}},只可用 county、date、serial。",
            f"The case number format {form!r} is wrong: it needs {{serial}} and may use county, date and serial only.",
        )


def next_number(connection: Connection, form: str, *, county: str, day: datetime) -> str:
    """The next case number of a day in county time."""
    period = form.format(county=county, date=day, serial=0)
    while True:
        number = form.format(county=county, date=day, serial=_NEXT.value(connection, {"period": period}))
        if _TAKEN.value(connection, {"number": number}) is None:  # an imported case may have it
            return number


def query_code() -> str:
    """A code under which a citizen may ask for a case; not guessable, easy to read out."""
    number = secrets.randbits(5 * QUERY_CODE_LENGTH)
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in range(QUERY_CODE_LENGTH))
