"""A newcomer's first minutes: the README's commands as they stand there, and the hooks that they get."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.installed import REPOSITORY, Installed

pytestmark = pytest.mark.e2e
MARK = "<!-- quickstart: this block is run as it stands by tests/e2e/test_quickstart.py -->"


def quickstart() -> str:
    """The marked block of the README."""
    blocks = re.findall(f"{re.escape(MARK)}\n```sh\n(.*?)```", (REPOSITORY / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


def test_readme_leads_from_nothing_to_green_tests(installed: Installed, promtool: str, tmp_path: Path) -> None:
    """An installed wheel, an empty folder and no settings but a PATH.

    Not covered: that pip finds the dependencies. They come from the environment that runs the tests, so that no network
    is needed.
    """
    path = os.pathsep.join([str(installed.root / "bin"), str(Path(promtool).parent), "/usr/bin", "/bin"])
    done = subprocess.run(
        ["sh", "-e"],
        input=quickstart(),
        cwd=tmp_path,
        env={"PATH": path, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 file checked, no errors" in done.stderr
    assert re.search(r"^1 rule file, [0-9]+ rules, [0-9]+ tests: all hold$", done.stdout, re.MULTILINE)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `init` writes, staged in a new git repository; programs are those of the environment that runs the tests."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "slos"
    arguments = ["--engine", "vllm", "--service", "desk", "--model", 'a "model" # 7', "--endpoint", "/v1/x"]
    run(tmp_path, "slo-compiler", "init", "slos", "--use-case", "chatbot", "--use-case", "research-legal", *arguments)
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", "-A")
    return folder


def run(folder: Path, *command: str, expect: int = 0) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def hooks(folder: Path, *arguments: str, expect: int = 0) -> dict[str, str]:
    """What the real pre-commit says of each hook."""
    assert shutil.which("pre-commit") is not None
    output = run(folder, "pre-commit", "run", "--color", "never", *arguments, expect=expect)
    found = dict(re.findall(r"^(.+?)\.{3,}(?:\(.*\))?(Passed|Failed|Skipped)$", output, re.MULTILINE))
    assert set(found) == {"changed specs are valid", "out/ is what the specs give"}, output
    assert "WARNING" not in output
    return found


def test_hooks_pass_in_a_new_repository_and_on_its_first_commit(repository: Path) -> None:
    assert set(hooks(repository, "--all-files").values()) == {"Passed"}
    run(repository, "pre-commit", "install")
    run(repository, "git", "commit", "-q", "-m", "SLOs")
    assert run(repository, "git", "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("old", "new", "valid"),
    [("sli: itl", "sli: itll", "Failed"), ("target: 99.9%", "target: 99.7%", "Passed")],
    ids=["a broken spec", "a spec that nobody compiled"],
)
def test_hooks_hold_back(repository: Path, old: str, new: str, valid: str) -> None:
    run(repository, "git", "commit", "-q", "-m", "SLOs")
    spec = repository / "specs" / "desk" / "chatbot.yaml"
    spec.write_text(spec.read_text("utf-8").replace(old, new), encoding="utf-8")
    run(repository, "git", "add", "-A")
    found = hooks(repository, expect=1)
    assert found == {"changed specs are valid": valid, "out/ is what the specs give": "Failed"}


def test_hooks_pass_over_what_is_no_spec(repository: Path) -> None:
    run(repository, "git", "commit", "-q", "-m", "SLOs")
    (repository / "notes.md").write_text("mine\n", encoding="utf-8")
    run(repository, "git", "add", "-A")
    assert set(hooks(repository).values()) == {"Skipped"}
