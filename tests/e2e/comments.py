"""Stands in for the comments of GitHub and the notes of GitLab: a server that keeps what it is told, and how."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit


class Call(NamedTuple):
    """What was asked, without the pages of a list."""

    method: str
    path: str


class Comments:
    """The comments of one conversation; `others` stand there from the start, a page and a half of them."""

    def __init__(self, path: str, token: tuple[str, str], others: int = 150) -> None:
        self.path = path
        self.token = token
        self.kept: dict[int, str] = {number: f"remark {number}" for number in range(others)}
        self.calls: list[Call] = []

    @property
    def ours(self) -> list[str]:
        """What is no remark of others."""
        return [body for body in self.kept.values() if not body.startswith("remark")]

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """The status and what is told."""
        if method == "GET" and path == self.path:
            size, page = int(query["per_page"][0]), int(query["page"][0])
            listed = [{"id": number, "body": text} for number, text in self.kept.items()]
            return 200, listed[size * (page - 1) : size * page]
        self.calls.append(Call(method, path))
        if method == "POST" and path == self.path:
            self.kept[len(self.kept)] = body["body"]
            return 201, {}
        one = re.fullmatch(r"(/repos/acme/slos/issues/comments|/projects/17/merge_requests/7/notes)/([0-9]+)", path)
        if one and method == ("PATCH" if one[1].startswith("/repos") else "PUT") and int(one[2]) in self.kept:
            self.kept[int(one[2])] = body["body"]
            return 200, {}
        return 404, {}


@contextmanager
def conversation(path: str, token: tuple[str, str]) -> Iterator[tuple[str, Comments]]:
    """A server and its address, for the time of the block."""
    comments = Comments(path, token)

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if self.headers.get(token[0]) != token[1]:
                status, told = 401, None
            else:
                status, told = comments.answer(self.command, url.path, parse_qs(url.query), body)
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = handle_any

        def log_message(self, format: str, *arguments: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", comments
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
