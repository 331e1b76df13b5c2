"""Options of commands that read metrics pages and servers, and the pages themselves."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slo_compiler.cli.options import fail_environment

if TYPE_CHECKING:
    from slo_compiler.external.http import Connection

STDIN = "-"


def connection_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --header, --ca-file, --cert, --key and --timeout, and passes them as one `connection`."""

    @click.option("--header", "headers", metavar="'K: V'", multiple=True, help="Sent with each request.")
    @click.option("--ca-file", metavar="FILE", default="", help="Certificates of the authorities to trust.")
    @click.option("--cert", metavar="FILE", default="", help="The client's certificate, with its key or beside --key.")
    @click.option("--key", metavar="FILE", default="", help="The key of --cert.")
    @click.option("--timeout", metavar="TIME", default="10s", show_default=True, help="For each request.")
    @functools.wraps(function)
    def wrapper(headers: tuple[str, ...], ca_file: str, cert: str, key: str, timeout: str, **arguments: Any) -> Any:
        from slo_compiler.external.http import Connection

        connection = Connection(
            headers=tuple(_header(text) for text in headers),
            ca_file=_readable("--ca-file", ca_file),
            cert=_readable("--cert", cert),
            key=_readable("--key", key),
            timeout=float(seconds_of("--timeout", timeout)),
        )
        return function(connection=connection, **arguments)

    return wrapper


def read_scrape(scrape: str, connection: Connection) -> str:
    """The text of a metrics page: from an address, from stdin by `-`, or saved. Ends the program with 3 without one."""
    from slo_compiler.external.http import Unreachable, get_text

    try:
        if is_address(scrape):
            return get_text(scrape, connection)
        content = sys.stdin.buffer.read() if scrape == STDIN else Path(scrape).read_bytes()
        return content.decode("utf-8", "replace")
    except Unreachable as fault:
        fail_environment(str(fault))
    except OSError as fault:
        fail_environment(f"{scrape}: {fault.strerror}")
    raise AssertionError


def is_address(scrape: str) -> bool:
    """Whether a scrape is read over HTTP."""
    return scrape.startswith(("http://", "https://"))


def seconds_of(option: str, text: str) -> int:
    """The seconds of an option's time.

    Raises:
        click.UsageError: it is none from a second to a day.
    """
    from slo_compiler.units import Duration

    try:
        seconds = Duration.parse(text).seconds
    except ValueError as fault:
        raise click.UsageError(f"{option}: {fault}; write it as 10s or 5m") from None
    if seconds < 1 or seconds > 86400:
        raise click.UsageError(f"{option}: from 1s to 1d")
    return int(seconds)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or not text.isprintable():
        raise click.UsageError("--header: write it as 'Name: value'")
    return name.strip(), value.strip()


def _readable(option: str, path: str) -> str:
    if path and not Path(path).is_file():
        raise click.UsageError(f"{option}: {path} is no file that can be read")
    return path
