"""A Prometheus on loopback that scrapes what a test serves and evaluates compiled rules."""

from __future__ import annotations

import json
import shutil
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.real.process import fetched, free_port, running, wait_until


def replicas(port: int, names: Iterable[str], **labels: str) -> list[dict[str, Any]]:
    """Targets of one address: the page of each is a path of its own, and its `instance` is its name."""
    return [
        {
            "targets": [f"127.0.0.1:{port}"],
            "labels": {"__metrics_path__": f"/{name}/metrics", "instance": name, **labels},
        }
        for name in names
    ]


@contextmanager
def prometheus(folder: Path, config: Mapping[str, Any], up: int, *flags: str) -> Iterator[str]:
    """The address of a server, from the moment at which it has scraped so many targets.

    Args:
        folder: where it runs and keeps its data.
        config: targets are scraped every second unless it says otherwise.
    """
    program = shutil.which("prometheus")
    if program is None:
        pytest.fail("prometheus is not on the PATH; scripts/ensure_promtool.sh installs it", pytrace=False)
    (folder / "prometheus.yaml").write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, **config}), "utf-8")
    address = f"http://127.0.0.1:{free_port()}"
    command = [program, "--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--log.level=error"]
    command += [f"--web.listen-address={address.removeprefix('http://')}", *flags]
    with running(command, f"{address}/-/ready", folder, within=60):
        # It looks for targets every five seconds, the first time too.
        wait_until(lambda: bool(queried(address, f"count(up) == {up}")), "targets that nobody scrapes", 60)
        yield address


def queried(address: str, query: str, **more: str) -> list[dict[str, Any]]:
    """The series that answer a query, at a moment or, with `start`, `end` and `step`, over a time.

    Raises:
        OSError: the server refuses it.
    """
    path = "query_range" if "step" in more else "query"
    answer = json.loads(fetched(f"{address}/api/v1/{path}?{urllib.parse.urlencode({'query': query, **more})}"))
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found
