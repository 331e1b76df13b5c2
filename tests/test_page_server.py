"""Texts over HTTP, and clients that do not wait for them."""

from __future__ import annotations

import socket
import struct
from urllib.request import urlopen

import pytest

from slo_compiler.external.page_server import Answer, serving

LARGE = "x" * 50_000_000
RESET = struct.pack("ii", 1, 0)


def answer(path: str) -> Answer:
    if path == "/wrong":
        raise KeyError(path)
    return Answer(200, "text/plain", LARGE if path == "/large" else "small")


def ask(port: int, path: str, *, read: int = 0) -> None:
    """Asks, reads so many bytes and leaves with a reset, as a process that is killed does."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        if read:
            client.recv(read)


@pytest.mark.loopback
@pytest.mark.parametrize("read", [0, 1_000], ids=["before the answer", "in the middle of the answer"])
def test_a_client_that_leaves_is_no_error(read: int, capfd: pytest.CaptureFixture[str]) -> None:
    with serving("127.0.0.1", 0, answer) as port:
        ask(port, "/large", read=read)
        with urlopen(f"http://127.0.0.1:{port}/small", timeout=20) as page:
            assert page.read() == b"small"
    assert capfd.readouterr() == ("", "")


@pytest.mark.loopback
def test_a_mistake_of_the_server_itself_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with serving("127.0.0.1", 0, answer) as port:
        ask(port, "/wrong", read=1)
    assert "KeyError: '/wrong'" in capfd.readouterr().err
