"""The group `wanmi prefecture`; each file of `command_line` has the commands of one idea."""

from __future__ import annotations

import rich_click as click

from server.prefecture.command_line import carrying, reporting, running, sending, setting_up


@click.group()
def prefecture() -> None:
    """The reference prefecture platform: enrols counties, pulls them, sends cases down, ranks them.

    Its home (--home, else WANMI_PREFECTURE) holds settings and keys; all data stands in PostgreSQL with PostGIS, one
    schema a county and views over all of them in the schema `prefecture`.

    \b
    From nothing to a county:
      wanmi prefecture init /srv/xuchang --name 许昌市 --url https://10.0.0.1:8443 --database-url URL
      wanmi prefecture serve --home /srv/xuchang
      wanmi prefecture token 411081 --home /srv/xuchang
      wanmi join https://10.0.0.1:8443 --token TOKEN --ca ca.crt          in the county
      wanmi prefecture status --home /srv/xuchang
    """


for command in (
    setting_up.init, setting_up.token, setting_up.sign, setting_up.remove, running.serve, running.pull, running.status,
    running.log, sending.send, sending.supervise, sending.withdraw, sending.decide, sending.offer,
    sending.sent, reporting.rank,
    reporting.monthly, reporting.daily, reporting.check, carrying.files,
):  # fmt: skip
    prefecture.add_command(command)
