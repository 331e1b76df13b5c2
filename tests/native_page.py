"""A page that holds native histograms alone, which only protobuf can say: `io.prometheus.client.MetricFamily`."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

_CONTENT_TYPE = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
_HISTOGRAM = 4  # of the enumeration MetricType
_VARINT, _DOUBLE, _BYTES = 0, 1, 2  # wire types


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _field(number: int, value: int | float | bytes | str) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    if isinstance(value, float):
        return _varint(number << 3 | _DOUBLE) + struct.pack("<d", value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _family(name: str, labels: Mapping[str, str], count: int) -> bytes:
    """A histogram of schema 0 whose events all lie between 1/8 and 1/4."""
    span = _field(1, _zigzag(-2)) + _field(2, 1)
    histogram = (
        _field(1, count)
        + _field(2, 0.2 * count)
        + _field(5, _zigzag(0))
        + _field(6, 1e-9)
        + _field(12, span)
        + _field(13, _zigzag(count))
    )
    pairs = b"".join(_field(1, _field(1, label) + _field(2, value)) for label, value in labels.items())
    metric = pairs + _field(7, histogram)
    family = _field(1, name) + _field(2, "-") + _field(3, _HISTOGRAM) + _field(4, metric)
    return _varint(len(family)) + family


@contextmanager
def native_served(names: Sequence[str], labels: Mapping[str, str]) -> Iterator[str]:
    """A target of the loopback, `127.0.0.1:port`, whose histograms count three more events at each scrape."""
    scrapes = [0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scrapes[0] += 1
            body = b"".join(_family(name, labels, 3 * scrapes[0]) for name in names)
            self.send_response(200)
            self.send_header("Content-Type", _CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
