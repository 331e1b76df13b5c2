"""A real vLLM on the CPU, with a tiny model of random weights, after traffic of which every request is known."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from slo_compiler.live.pages import Page, read_page
from tests.real.process import VLLM, fetched, free_port, running, wait_until
from tests.real.programs import Program, summed

TTFT = "vllm:time_to_first_token_seconds"
E2E = "vllm:e2e_request_latency_seconds"
ITL = "vllm:inter_token_latency_seconds"
HTTP = "http_requests_total"
_CHAT, _COMPLETIONS = "/v1/chat/completions", "/v1/completions"
_PATIENCE = 120.0
_STARTS_WITHIN = 1200.0  # a minute on an idle machine
_ENVIRONMENT = {
    "VLLM_HOST_IP": "127.0.0.1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "0-1",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
}


@dataclass(frozen=True)
class Asked:
    """A kind of request: how often, where, with what, and the status that it is answered with."""

    times: int
    status: int
    path: str
    body: dict[str, Any] = field(default_factory=dict)


def _exactly(tokens: int) -> dict[str, Any]:
    return {"max_tokens": tokens, "ignore_eos": True}


_HELLO = {"messages": [{"role": "user", "content": "hello"}]}
_STREAM = {"stream": True, "stream_options": {"include_usage": True}}
PLAN = {
    "chat": Asked(7, 200, _CHAT, {**_HELLO, **_exactly(11)}),
    "streamed chat": Asked(5, 200, _CHAT, {**_HELLO, **_exactly(9), **_STREAM}),
    "streamed completion": Asked(6, 200, _COMPLETIONS, {"prompt": "b" * 90, **_exactly(13), **_STREAM}),
    # The token that ends an answer is all but certain to be drawn.
    "stopped": Asked(3, 200, _CHAT, {**_HELLO, "max_tokens": 20, "logit_bias": {"2": 100}}),
    "too long": Asked(4, 400, _COMPLETIONS, {"prompt": "b" * 5000, **_exactly(8)}),
    "another model": Asked(2, 404, _CHAT, {**_HELLO, "model": "nobody"}),
}


@dataclass(frozen=True)
class Served:
    """The program, its page before and after the planned traffic, and the tokens that its answers were said to have."""

    program: Program
    before: Page
    after: Page
    tokens: int


@contextmanager
def vllm(folder: Path) -> Iterator[Served]:
    """The server, after the plan."""
    if any(name != "lo" for _, name in socket.if_nameindex()):
        # Its worker listens on all interfaces, whatever the server is told.
        pytest.fail("there is more than the loopback; make vllm runs this in a namespace of its own", pytrace=False)
    port = free_port()
    page = f"http://127.0.0.1:{port}/metrics"
    model = folder / "tiny-llama"
    subprocess.run(
        [VLLM / "bin" / "python", Path(__file__).with_name("tiny_llama.py"), model], check=True, capture_output=True
    )
    command: list[str | Path] = [VLLM / "bin" / "vllm", "serve", model, "--served-model-name", "tiny"]
    command += ["--load-format", "dummy", "--dtype", "bfloat16", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--max-model-len", "2048", "--max-num-seqs", "4", "--enforce-eager"]

    def asked(what: str) -> int:
        """Tokens of one answer."""
        request = PLAN[what]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        body = json.dumps({"model": "tiny", **request.body})
        connection.request("POST", request.path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == request.status, (what, text)
        return _tokens(text) if answer.status == 200 else 0

    with running(command, page, folder, within=_STARTS_WITHIN, environment=_ENVIRONMENT):
        counters = [f"{TTFT}_count", f"{E2E}_count", f"{ITL}_count", HTTP]
        program = Program(page, counters, lambda: asked("chat"), _PATIENCE)
        program.move()
        before = fetched(page)
        tokens = sum(asked(what) for what, request in PLAN.items() for _ in range(request.times))
        good = sum(request.times for request in PLAN.values() if request.status == 200)
        wait_until(
            lambda: summed(fetched(page), f"{E2E}_count") == summed(before, f"{E2E}_count") + good,
            "vLLM has not counted what was sent",
            _PATIENCE,
        )
        yield Served(program, read_page(before), read_page(fetched(page)), tokens)


def _tokens(text: str) -> int:
    """The completion tokens that an answer says it has, streamed or not."""
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line and line != "data: [DONE]"]
    (usage,) = [found for line in lines if (found := json.loads(line).get("usage"))]
    return int(usage["completion_tokens"])
