"""Reads text over HTTP, with what people put before their metrics: headers, own authorities, client certificates."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException
from types import MappingProxyType
from typing import IO, NamedTuple
from urllib.parse import urlencode, urlsplit

_MOST_BYTES = 100_000_000


class Unreachable(Exception):
    """Nothing usable came back; the message says from where and why, and holds no header's value."""


class Connection(NamedTuple):
    """How to reach a server.

    Attributes:
        headers: sent with every request, to the address as given and to no other.
        ca_file: certificates of authorities, beside which none is trusted; empty trusts the system's.
        timeout: in seconds, of each wait.
    """

    headers: tuple[tuple[str, str], ...] = ()
    ca_file: str = ""
    cert: str = ""
    key: str = ""
    timeout: float = 10.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the headers, and the secrets in them, somewhere else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        del req, code, msg, headers
        fp.close()
        raise Unreachable(f"redirects to {newurl}; give that address")


def get_text(
    url: str, connection: Connection, accept: str = "text/plain", parameters: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The body of an answer with status 200, as text.

    Args:
        parameters: of the query, beside those that the address has.

    Raises:
        Unreachable: there is none, it is too large, or the address is none of HTTP.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unreachable(f"{url}: no address of HTTP, such as http://localhost:8000/metrics")
    if parts.username or parts.password:
        raise Unreachable(
            f"{parts.hostname}: credentials in an address end up in logs; use --header 'Authorization: ...'"
        )
    query = f"{'&' if parts.query else '?'}{urlencode(parameters)}" if parameters else ""
    request = urllib.request.Request(url + query, headers={"Accept": accept, **dict(connection.headers)})
    try:
        opener = urllib.request.build_opener(
            _NoRedirects, urllib.request.HTTPSHandler(context=_context(connection)), urllib.request.ProxyHandler()
        )
        with opener.open(request, timeout=connection.timeout) as answer:
            content: bytes = answer.read(_MOST_BYTES + 1)
    except Unreachable as fault:
        raise Unreachable(f"{url}: {fault}") from None
    except urllib.error.HTTPError as fault:
        fault.close()
        raise Unreachable(f"{url}: HTTP {fault.code} {fault.reason}") from None
    except urllib.error.URLError as fault:
        raise Unreachable(f"{url}: {_reason(fault.reason)}") from None
    except (OSError, HTTPException, ValueError) as fault:
        raise Unreachable(f"{url}: {_reason(fault)}") from None
    if len(content) > _MOST_BYTES:
        raise Unreachable(f"{url}: over {_MOST_BYTES // 1_000_000} MB")
    return content.decode("utf-8", "replace")


def _context(connection: Connection) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=connection.ca_file or None)
    if connection.cert:
        context.load_cert_chain(connection.cert, connection.key or None)
    return context


def _reason(fault: object) -> str:
    if isinstance(fault, TimeoutError):
        return "no answer in time (--timeout)"
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror
    return str(fault) or type(fault).__name__
