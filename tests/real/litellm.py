"""A LiteLLM proxy whose answers are its own mocks: no provider, no model, but its real metrics."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slo_compiler.live.pages import Page, read_page
from tests.real.process import LITELLM, fetched, free_port, running, wait_until
from tests.real.programs import Program, summed

TTFT = "litellm_llm_api_time_to_first_token_metric"
ANSWERS = "litellm_proxy_total_requests_metric_total"
# What is asked of the proxy, how often, and the status that it answers.
PLAN: dict[str, tuple[int, int]] = {
    "good": (7, 200),
    "streamed": (5, 200),
    "failing": (3, 500),
    "too many": (2, 429),
    "late": (1, 408),
    "unknown": (2, 400),
}
_WORDS: dict[str, dict[str, Any]] = {
    "good": {},
    "streamed": {"stream": True},
    "failing": {"mock_testing_fallbacks": True},
    "too many": {"mock_testing_rate_limit_error": True},
    "late": {"mock_timeout": True, "timeout": 0.1},
    "unknown": {"model": "nobody"},
}
_KEY = "sk-only-of-this-test-0917"
_CONFIG = {
    "model_list": [
        {
            "model_name": "writer",
            "litellm_params": {"model": "openai/writer", "api_key": "none", "mock_response": "seven words of it"},
        }
    ],
    "litellm_settings": {"callbacks": ["prometheus"], "require_auth_for_metrics_endpoint": False, "num_retries": 0},
    "router_settings": {"disable_cooldowns": True, "num_retries": 0},
    "general_settings": {"dangerously_allow_mock_testing_request_params": True},
}
_PATIENCE = 60.0


@contextmanager
def litellm(folder: Path) -> Iterator[tuple[Program, Page]]:
    """The proxy after the planned traffic, with the page that it had before."""
    port = free_port()
    page = f"http://127.0.0.1:{port}/metrics/"
    config = folder / "litellm.json"
    config.write_text(json.dumps(_CONFIG), "utf-8")
    command: list[str | Path] = [LITELLM / "bin" / "litellm", "--config", config, "--host", "127.0.0.1"]
    command += ["--port", str(port), "--telemetry", "False"]
    own = {"LITELLM_MASTER_KEY": _KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    def asked(what: str) -> int:
        body = {"model": "writer", "messages": [{"role": "user", "content": "go on"}], **_WORDS[what]}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {_KEY}"}
        connection.request("POST", "/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    with running(command, page, folder, within=300, environment=own):
        program = Program(page, [f"{TTFT}_count", ANSWERS], lambda: asked("streamed"), _PATIENCE)
        program.move()
        before = fetched(page)
        for what, (times, status) in PLAN.items():
            assert {asked(what) for _ in range(times)} == {status}, what
        sent = sum(times for times, _ in PLAN.values())
        wait_until(
            lambda: (
                summed(fetched(page), ANSWERS) == summed(before, ANSWERS) + sent
                and summed(fetched(page), f"{TTFT}_count") == summed(before, f"{TTFT}_count") + PLAN["streamed"][0]
            ),
            "LiteLLM has not counted what was sent",
            _PATIENCE,
        )
        yield program, read_page(before)
