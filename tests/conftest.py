"""What every test runs in: a home of its own, no network, a fixed git identity, and a promtool where one is asked for."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from slo_compiler.external.promtool import PromtoolMissing, find_promtool, needs_native_histograms

# A busy machine is slow now and then; a deadline per example would make that a failure.
settings.register_profile("repository", deadline=None)
settings.load_profile("repository")

_IDENTITY = {
    "GIT_AUTHOR_NAME": "A Tester",
    "GIT_AUTHOR_EMAIL": "tester@example.com",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "A Tester",
    "GIT_COMMITTER_EMAIL": "tester@example.com",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
}
# What a developer's shell may set, and what would change outputs.
_FOREIGN = ("NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "COLUMNS", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
# Minutes long: whoever runs it last makes the other worker wait.
_FIRST = "test_generated_tests_prove_the_rules_of_all_specs"
# What is large to install or takes minutes, each with a make target of its own.
_ASKED_FOR = ("slow_engines", "promtool3", "thorough")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The order is random, but for the longest test; what is slow runs only where its marker is asked for."""
    for marker in _ASKED_FOR:
        slow = [item for item in items if item.get_closest_marker(marker) is not None]
        if slow and marker not in config.option.markexpr:
            config.hook.pytest_deselected(items=slow)
            items[:] = [item for item in items if item not in slow]
    items.sort(key=lambda item: item.name != _FIRST)


@pytest.fixture(autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary home, one git identity, and nothing of the developer's own settings."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    for name, value in _IDENTITY.items():
        monkeypatch.setenv(name, value)
    for name in _FOREIGN:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test connects to anything; those that start servers on this machine may talk to it."""
    local = any(request.node.get_closest_marker(name) is not None for name in ("e2e", "loopback"))
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX or (local and address[0] in ("127.0.0.1", "::1", "localhost")):
            connect(self, address)
            return
        raise AssertionError(f"a test connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def specs(root: Path) -> Path:
    """The example specs."""
    return root / "specs"


@pytest.fixture(scope="session")
def promtool() -> str:
    """The promtool to run. Proofs that nobody ran are no proofs: where it is missing the test fails."""
    try:
        return find_promtool()
    except PromtoolMissing as missing:
        pytest.fail(f"{missing}; scripts/ensure_promtool.sh installs it", pytrace=False)


@pytest.fixture(scope="session")
def promtool3() -> str:
    """A promtool that reads native histograms. Where there is none the test fails."""
    reason = ""
    try:
        found = find_promtool()
        needs_native_histograms(found, "what the test draws")
    except PromtoolMissing as missing:
        reason = f"{missing}; make promtool3 builds one"
    if reason:
        pytest.fail(reason, pytrace=False)
    return found


@pytest.fixture(autouse=True)
def promtool_where_it_is_needed(request: pytest.FixtureRequest) -> None:
    """Fails a test with the marker `promtool` where there is none."""
    if request.node.get_closest_marker("promtool") is not None:
        request.getfixturevalue("promtool")
