"""The hooks that this repository offers, as users get them: pre-commit clones it, builds it and runs them in a repository.

Not covered: that pip finds build tools and dependencies in an index. They come as wheels that are made of the environment
which runs the tests, so that no network is needed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.chat import CHAT
from tests.e2e.installed import REPOSITORY

pytestmark = pytest.mark.e2e
HOOKS = ("slo-validate", "slo-compile", "slo-test")
# What a build of the wheel reads.
SOURCES = ("slo_compiler", "schemas", "templates", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
SLI = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: answered}
spec:
  ratioMetric:
    counter: true
    bad: {metricSource: {type: Prometheus, spec: {query: 'asked_total{code="500"}'}}}
    total: {metricSource: {type: Prometheus, spec: {query: 'asked_total'}}}
"""
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: answers}
spec:
  service: desk
  indicatorRef: answered
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""


def run(folder: Path, *command: str, expect: int | None = 0) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert expect is None or done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def offered(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """This tree as a git repository with one commit, and that commit; pip finds all that it needs without a network."""
    folder = tmp_path_factory.mktemp("offered")
    for source in SOURCES:
        if (REPOSITORY / source).is_dir():
            shutil.copytree(REPOSITORY / source, folder / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPOSITORY / source, folder / source)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("NAME", "A Tester"), ("EMAIL", "tester@example.com")):
            patch.setenv(f"GIT_AUTHOR_{name}", value)
            patch.setenv(f"GIT_COMMITTER_{name}", value)
        patch.setenv("PRE_COMMIT_HOME", str(tmp_path_factory.mktemp("pre-commit")))
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            patch.delenv(name)
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_NO_COMPILE", "1")  # Python compiles the few modules that are used
        patch.setenv("PIP_FIND_LINKS", str(wheelhouse))
        run(folder, "git", "init", "-q")
        run(folder, "git", "add", "-A")
        run(folder, "git", "commit", "-q", "-m", "as it is")
        yield folder, run(folder, "git", "rev-parse", "HEAD").strip()


@pytest.fixture(scope="module")
def base(offered: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with specs, their outputs and the hooks, committed."""
    url, revision = offered
    folder = tmp_path_factory.mktemp("slos")
    (folder / "specs").mkdir()
    for name, text in (("sli", SLI), ("slo", SLO), ("chat", CHAT)):
        (folder / "specs" / f"{name}.yaml").write_text(text, encoding="utf-8")
    hooks = "".join(f"      - id: {hook}\n" for hook in HOOKS)
    config = f"repos:\n  - repo: {url}\n    rev: {revision}\n    hooks:\n{hooks}"
    (folder / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
    run(folder, "slo-compiler", "compile", "-q")
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-q", "-m", "SLOs")
    run(folder, "pre-commit", "install")
    return folder


@pytest.fixture
def repository(base: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(base, tmp_path / "slos")


def edit(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text("utf-8")
    assert old in text
    (folder / path).write_text(text.replace(old, new), encoding="utf-8")
    run(folder, "git", "add", path)


def results(output: str) -> dict[str, str]:
    """What pre-commit says of each hook."""
    return dict(re.findall(r"^slo-compiler (\w+)\.{3,}(?:\(.*\))?(Passed|Failed|Skipped)$", output, re.MULTILINE))


def commit(folder: Path, *, expect: int) -> str:
    """What `git commit` says; proofs are left to the tests that are about them."""
    return run(folder, "env", "SKIP=slo-test", "git", "commit", "-m", "a change", expect=expect)


def test_what_is_up_to_date_passes(repository: Path) -> None:
    output = run(repository, "pre-commit", "run", "--all-files")
    assert results(output) == {"validate": "Passed", "compile": "Passed", "test": "Passed"}


def test_a_changed_spec_is_held_back_until_its_outputs_are_committed_with_it(repository: Path) -> None:
    edit(repository, "specs/chat.yaml", "target: 95%", "target: 97%")
    output = commit(repository, expect=1)
    assert results(output) == {"validate": "Passed", "compile": "Failed", "test": "Skipped"}
    assert "- files were modified by this hook" in output
    assert "replace rules/desk/chat.yaml" in output
    assert "* 0.03 " in run(repository, "git", "diff", "--", "out/rules/desk/chat.yaml")
    run(repository, "git", "add", "out")
    assert results(commit(repository, expect=0)) == {"validate": "Passed", "compile": "Passed", "test": "Skipped"}
    assert run(repository, "git", "status", "--porcelain") == ""


def test_outputs_of_a_new_spec_are_not_left_behind(repository: Path) -> None:
    second = CHAT.replace("name: chat", "name: second").replace("job: chat", "job: second")
    (repository / "specs/second.yaml").write_text(second, encoding="utf-8")
    run(repository, "git", "add", "specs")
    assert "create rules/desk/second.yaml" in commit(repository, expect=1)
    run(repository, "git", "add", "--update")  # what git knows already, and none of the new files
    output = commit(repository, expect=1)
    assert results(output)["compile"] == "Failed"
    assert "files of out not in git" in output
    run(repository, "git", "add", "out")
    commit(repository, expect=0)


def test_a_broken_spec_is_shown_with_its_place(repository: Path) -> None:
    edit(repository, "specs/chat.yaml", "sli: itl", "sli: itll")
    output = run(repository, "pre-commit", "run", "slo-validate", expect=1)
    assert results(output) == {"validate": "Failed"}
    assert re.search(r"^specs/chat\.yaml:\d+:\d+: error\[SLO2\d\d\]: .*itll", output, re.MULTILINE)
    assert "- hook id: slo-validate\n- exit code: 1" in output


def test_a_definition_that_changed_is_judged_where_it_is_named(repository: Path) -> None:
    edit(repository, "specs/sli.yaml", "name: answered", "name: replied")
    output = run(repository, "pre-commit", "run", "slo-validate", expect=1)
    assert "specs/slo.yaml:6:17: error[SLO204]: there is no SLI named answered" in output


def test_a_definition_that_is_removed_is_missed(repository: Path) -> None:
    """pre-commit hands a hook no file that is gone."""
    run(repository, "git", "rm", "-q", "specs/sli.yaml")
    output = run(repository, "pre-commit", "run", "slo-validate", expect=1)
    assert "specs/slo.yaml:6:17: error[SLO204]: there is no SLI named answered" in output


def test_settings_that_changed_have_all_judged_and_a_fault_elsewhere_holds_nobody_back(repository: Path) -> None:
    edit(repository, "specs/slo.yaml", "target: 0.99", "target: 1.99")
    run(repository, "git", "commit", "-q", "--no-verify", "-m", "by force")
    edit(repository, "specs/chat.yaml", "target: 95%", "target: 97%")
    assert results(run(repository, "pre-commit", "run", "slo-validate")) == {"validate": "Passed"}
    (repository / "slo-compiler.yaml").write_text("defaults: {period: 27d}\n", encoding="utf-8")
    run(repository, "git", "add", "slo-compiler.yaml")
    output = run(repository, "pre-commit", "run", "slo-validate", expect=1)
    assert re.search(r"^specs/slo\.yaml:\d+:\d+: error\[SLO203\]: ", output, re.MULTILINE)


def test_rules_that_are_edited_by_hand_do_not_hold(repository: Path) -> None:
    edit(repository, "out/rules/desk/answers.yaml", "severity: page", "severity: peep")
    output = run(repository, "pre-commit", "run", "slo-test", expect=1)
    assert "FAILED rules/desk/answers.yaml" in output
    output = run(repository, "pre-commit", "run", "slo-compile", expect=1)
    assert "files were modified by this hook" in output
    assert run(repository, "git", "diff", "HEAD", "--", "out") == ""
