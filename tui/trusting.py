"""Whom the console believes to be the node: the authority of the box, where the node is reached over the network."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.errors import Invalid

F = TypeVar("F", bound=Callable[..., Any])


def authority_option(function: F) -> F:
    """`--ca FILE`."""
    return click.option(
        "--ca", type=click.Path(path_type=Path), help="The node's authority, its keys/lan-ca.crt. [default: $WANMI_CA]"
    )(function)


def trusted(file: Path | None) -> ssl.SSLContext | bool:
    """Whose certificates count: those of a file, else of WANMI_CA, else the system's.

    Raises:
        Invalid: the file cannot be read, or holds no certificate.
    """
    given = file or os.environ.get("WANMI_CA")
    if not given:
        return True
    try:
        return ssl.create_default_context(cafile=str(given))
    except OSError as error:
        raise Invalid(
            f"{given} 不能用作节点的证书颁发者 ({error.strerror or error});请从节点复制 keys/lan-ca.crt。",
            f"{given} is no authority of a node ({error.strerror or error}); copy the node's keys/lan-ca.crt.",
        ) from None
