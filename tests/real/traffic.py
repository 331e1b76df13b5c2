"""What is sent through a proxy, of which every answer is known, and the upstream that gives these answers."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

NOWHERE = "/nowhere"  # the path that a proxy sends to a port on which nobody listens
# Paths with how often they are asked for. `left` is asked for and left after the first piece of its stream.
PLAN = {"/ok": 11, "/slow": 3, "/429": 4, "/500": 2, "/503": 3, "/drop": 2, NOWHERE: 1, "/left": 3}
# By the class that a proxy counts: a stream that was begun is a 2xx; what is dropped or is nowhere is the proxy's own 5xx.
CLASSES = {"2": 11 + 3 + 3, "4": 4, "5": 2 + 3 + 2 + 1}
SLOW = 0.15  # seconds


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/drop":
            self.close_connection = True
            return
        if self.path == "/left":
            self._stream()
            return
        if self.path == "/slow":
            time.sleep(SLOW)
        status = int(self.path[1:]) if self.path[1:].isdigit() else 200
        body = json.dumps({"status": status}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        """Pieces until the reader is gone, two seconds at most."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        try:
            for _ in range(200):
                self.wfile.write(b"9\r\ndata: a\n\n\r\n")
                time.sleep(0.01)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def upstream() -> Iterator[int]:
    """The server behind the proxy; gives its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(port: int, plan: dict[str, int]) -> None:
    """Asks for each path as often as planned, one after the other."""
    for path, times in plan.items():
        for _ in range(times):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            if path == "/left":
                answer.readline()
                answer.close()
            else:
                answer.read()
            connection.close()
