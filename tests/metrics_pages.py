"""Pages as a vLLM server writes them, by the client library that it uses, with one thing wrong where a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

FIRST_TOKEN = (0.001, 0.01, 0.04, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 40.0)
FIRST_TOKEN_OF_0_11 = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0),
    *(160.0, 640.0, 2560.0),
)
REQUEST = (0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0)
TOKEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0)


@dataclass
class Server:
    """A vLLM 0.11, as far as its page shows it.

    Attributes:
        names: other names than the usual ones, by the usual one.
        edges: of the time to first token.
        silent: metrics that count nothing, whatever is served.
    """

    model: str = "acme/chat"
    labels: Sequence[str] = ("engine", "model_name")
    names: dict[str, str] = field(default_factory=dict)
    edges: Sequence[float] = FIRST_TOKEN_OF_0_11
    without: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    first_token_is_a_gauge: bool = False
    seconds_are: float = 1.0

    def __post_init__(self) -> None:
        self.registry = CollectorRegistry()
        self.first_token: Histogram | Counter | Gauge | None = None
        values = {"engine": "0", "model_name": self.model}
        self._values = [values[label] for label in self.labels]
        if self.first_token_is_a_gauge:
            self.first_token = self._made(Gauge, "vllm:time_to_first_token_seconds_count")
        else:
            self.first_token = self._made(Histogram, "vllm:time_to_first_token_seconds", buckets=self.edges)
        self.tokens = [
            self._made(Histogram, name, buckets=TOKEN)
            for name in ("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds")
        ]
        self._made(Histogram, "vllm:request_time_per_output_token_seconds", buckets=TOKEN)
        for name in ("e2e_request_latency", "request_queue_time", "request_inference_time"):
            self._made(Histogram, f"vllm:{name}_seconds", buckets=REQUEST)
        for name in ("request_prefill_time", "request_decode_time"):
            self._made(Histogram, f"vllm:{name}_seconds", buckets=REQUEST)
        self.generated = self._made(Counter, "vllm:generation_tokens_total")
        self._made(Counter, "vllm:prompt_tokens_total")
        self._made(Gauge, "vllm:num_requests_running")
        self._made(Gauge, "vllm:num_requests_waiting")
        self._made(Gauge, "vllm:kv_cache_usage_perc")

    def _made(self, kind: type, name: str, **settings: object) -> Histogram | Counter | Gauge | None:
        if name in self.without:
            return None
        metric = kind(self.names.get(name, name), "-", self.labels, registry=self.registry, **settings)
        made: Histogram | Counter | Gauge = metric.labels(*self._values) if self.labels else metric
        return made

    def serve(self, requests: int, seconds: float = 0.2) -> None:
        """So many answers of ten tokens each, the first of which came after so many seconds."""
        for _ in range(requests):
            if isinstance(self.first_token, Histogram) and "vllm:time_to_first_token_seconds" not in self.silent:
                self.first_token.observe(seconds * self.seconds_are)
            for histogram in self.tokens:
                if isinstance(histogram, Histogram):
                    histogram.observe(0.02)
            if isinstance(self.generated, Counter):
                self.generated.inc(10)

    def page(self) -> str:
        """The page as it is scraped."""
        return generate_latest(self.registry).decode()


class Seen(list[dict[str, str]]):
    """The headers of each request."""


@contextmanager
def served(server: Server, *, status: int = 200, location: str = "", moves: bool = False) -> Iterator[tuple[str, Seen]]:
    """The page on a port of the loopback: its address, and what was asked.

    Args:
        moves: serves three requests between two scrapes.
    """
    seen = Seen()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(dict(self.headers.items()))
            if moves:
                server.serve(3)
            body = server.page().encode()
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}/metrics", seen
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
