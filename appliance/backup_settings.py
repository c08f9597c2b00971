"""`[backup]` of `wanmi.toml`: where snapshots go, and how many are kept."""

from __future__ import annotations

import re

from pydantic import BaseModel, Field, field_validator

from appliance.device_settings import wrong

REMOTE = ("sftp:", "s3:", "rest:")
DISK = "disk:"
"""`disk:LABEL/folder`: a folder on the disk or stick with this label, wherever it is plugged in."""


_PASSWORD = re.compile(r"(://[^/@:\s]*:)[^/\s]+@")


def without_password(words: str) -> str:
    """An address, or words in which one stands, as it may be told to whoever reads a message or a sheet."""
    return _PASSWORD.sub(r"\1***@", words)


class Backup(BaseModel):
    """Backups.

    Attributes:
        to: the repository: an absolute folder, `disk:LABEL/folder`, `sftp:user@host:/folder` or `s3:https://host/bucket`;
            empty for none.
        warm: a folder on another disk or machine that follows the home, written alike; empty for none.
        warm_seconds: how often it does; what a dead disk costs is at most some seconds more.
        keep_daily, keep_weekly, keep_monthly: snapshots that are kept of so many days, weeks and months.
    """

    to: str = ""
    warm: str = ""
    warm_seconds: float = Field(default=2.0, ge=0.2, le=5.0)
    keep_daily: int = Field(default=14, ge=1)
    keep_weekly: int = Field(default=8, ge=0)
    keep_monthly: int = Field(default=24, ge=0)

    @field_validator("to")
    @classmethod
    def _is_a_place(cls, to: str) -> str:
        is_disk = to.startswith(DISK) and len(to.removeprefix(DISK).split("/")[0]) > 0
        if to and not (to.startswith(("/", *REMOTE)) or is_disk):
            raise wrong(
                f"须为绝对路径、disk:卷标/文件夹、sftp: 或 s3:,得到 {to}",
                f"it is an absolute folder, disk:LABEL/folder, sftp:… or s3:…, got {to}",
            )
        return to

    @field_validator("warm")
    @classmethod
    def _is_a_folder(cls, warm: str) -> str:
        if warm and not warm.startswith(("/", DISK)):
            raise wrong(
                f"须为绝对路径或 disk:卷标/文件夹,得到 {warm}",
                f"it is an absolute folder or disk:LABEL/folder, got {warm}",
            )
        return warm
