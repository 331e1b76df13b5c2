"""The programs: how each is configured and started, what it was asked, and where its metrics page is."""

from __future__ import annotations

import http.client
import json
import operator
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.process import ENGINES, fetched, free_port, running, wait_until
from tests.real.traffic import NOWHERE, PLAN, send, upstream


@dataclass(frozen=True)
class Program:
    """A program that runs.

    Attributes:
        page: address of its metrics page.
        counters: series that grow with every request, without labels.
        ask: sends one more good request.
        within: seconds that the page may take to show it.
    """

    page: str
    counters: Sequence[str]
    ask: Callable[[], object]
    within: float = 10

    def counted(self) -> list[float]:
        """The sums of the counters' series."""
        page = fetched(self.page)
        return [summed(page, counter) for counter in self.counters]

    def move(self) -> None:
        """One more request, until the page shows it."""
        before = self.counted()
        self.ask()
        wait_until(
            lambda: all(map(operator.gt, self.counted(), before)), f"{self.counters} stay at {before}", self.within
        )


def summed(page: str, name: str, *labels: str) -> float:
    """The sum of a page's series of that name with these labels, each as `label="value"`."""
    lines = re.findall(rf"^{re.escape(name)}(\{{.*\}})? (\S+)", page, re.MULTILINE)
    return sum(float(value) for found, value in lines if all(label in found for label in labels))


def _behind(port: int) -> dict[str, Any]:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"lb_endpoints": [{"endpoint": {"address": address}}]}


def _envoy_config(admin: int, port: int, upstream_port: int) -> dict[str, Any]:
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    routes = [
        {"match": {"prefix": NOWHERE}, "route": {"cluster": "dead"}},
        {"match": {"prefix": "/"}, "route": {"cluster": "engine"}},
    ]
    http = {
        "@type": manager,
        "stat_prefix": "writer",
        "route_config": {"virtual_hosts": [{"name": "writer", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": http}]
    ports = {"engine": upstream_port, "dead": free_port()}
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
        # Histograms are shown when they are flushed, every 5 s by default.
        "stats_flush_interval": "0.2s",
        "static_resources": {
            "listeners": [
                {
                    "name": "writer",
                    "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
                    "filter_chains": [{"filters": filters}],
                }
            ],
            "clusters": [
                {
                    "name": name,
                    "connect_timeout": "1s",
                    "load_assignment": {"cluster_name": name, "endpoints": [_behind(behind)]},
                }
                for name, behind in ports.items()
            ],
        },
    }


@contextmanager
def envoy(folder: Path) -> Iterator[Program]:
    """Envoy before the upstream, after the planned traffic."""
    admin, port = free_port(), free_port()
    page = f"http://127.0.0.1:{admin}/stats/prometheus"
    config = folder / "envoy.json"
    with upstream() as behind:
        config.write_text(json.dumps(_envoy_config(admin, port, behind)), "utf-8")
        command: list[str | Path] = [
            ENGINES / "bin" / "envoy",
            "-c",
            config,
            "--concurrency",
            "1",
            "--disable-hot-restart",
        ]
        with running(command, page, folder, within=60):
            send(port, PLAN)
            timed = "envoy_http_downstream_rq_time_count"
            answered = sum(PLAN.values()) - PLAN["/left"]
            writer = 'envoy_http_conn_manager_prefix="writer"'
            wait_until(
                lambda: (
                    summed(fetched(page), timed, writer) >= answered
                    and summed(fetched(page), "envoy_http_downstream_rq_rx_reset", writer) >= PLAN["/left"]
                ),
                "Envoy has not counted what was sent",
                15,
            )
            yield Program(page, [timed], lambda: send(port, {"/ok": 1}))


_HAPROXY = """\
global
  maxconn 100
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 1s
  retries 0
frontend writer
  bind 127.0.0.1:{port}
  use_backend dead if {{ path_beg {nowhere} }}
  default_backend engine
backend engine
  server one 127.0.0.1:{behind}
backend dead
  server none 127.0.0.1:{dead}
frontend page
  bind 127.0.0.1:{admin}
  http-request use-service prometheus-exporter if {{ path /metrics }}
"""


@contextmanager
def haproxy(folder: Path) -> Iterator[Program]:
    """HAProxy before the upstream, after the planned traffic."""
    admin, port = free_port(), free_port()
    page = f"http://127.0.0.1:{admin}/metrics"
    config = folder / "haproxy.cfg"
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    with upstream() as behind:
        text = _HAPROXY.format(port=port, admin=admin, behind=behind, dead=free_port(), nowhere=NOWHERE)
        config.write_text(text, "utf-8")
        with running([program, "-db", "-f", config], page, folder, within=30):
            send(port, PLAN)
            answers = "haproxy_frontend_http_responses_total"
            wait_until(
                lambda: summed(fetched(page), answers, 'proxy="writer"') >= sum(PLAN.values()),
                "HAProxy has not counted what was sent",
                10,
            )
            yield Program(page, ["haproxy_frontend_http_requests_total"], lambda: send(port, {"/ok": 1}))


# What is asked of the model server, with the status that it answers; the first two reach the prediction.
KSERVE_PLAN = {"good": (11, 200), "failing": (3, 500), "unknown": (2, 404), "no json": (1, 400), "slow": (2, 200)}


@contextmanager
def kserve(folder: Path) -> Iterator[Program]:
    """A KServe model server, after predictions that were good, slow, failed and never began."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    server = Path(__file__).with_name("kserve_server.py")

    def asked(what: str) -> int:
        model = "nobody" if what == "unknown" else "ranker"
        body = b"{" if what == "no json" else json.dumps({"instances": [what]}).encode()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", f"/v1/models/{model}:predict", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    with running([ENGINES / "bin" / "python", server, str(port)], f"{base}/metrics", folder, within=120):
        for what, (times, status) in KSERVE_PLAN.items():
            assert {asked(what) for _ in range(times)} == {status}, what
        yield Program(f"{base}/metrics", ["request_predict_seconds_count"], lambda: asked("good"))
