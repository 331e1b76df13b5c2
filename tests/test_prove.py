"""What `test` proves: every test file that a compilation wrote, and nothing without one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.write.cache import cache_path

# An incident and a schedule beside what every spec has: each kind of test file that there is.
SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: gate}
spec:
  service: assistant
  model: acme/chat
  endpoint: /v1/completions
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm}
  objectives:
    - {sli: availability, target: 99.9%, source: {bad: 'gw_total{app="a",code=~"5.."}', total: 'gw_total{app="a"}'}}
  exemptions: [{kind: maintenance, schedule: {cron: "0 3 * * 0", duration: 1h, timeZone: Etc/UTC}, maxPerPeriod: 6h}]
  budgetAdjustments: [{from: 2026-03-03T10:00:00Z, to: 2026-03-03T11:00:00Z, reason: a cable}]
"""
# A promtool that believes everything and tells of each file that it was shown.
BELIEVER = '#!/bin/sh\n[ "$1" = --version ] && echo "promtool, version 3.5.0"\necho "$@" >> "%s"\n'


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "spec.yaml").write_text(SPEC)
    done = CliRunner().invoke(cli, ["compile", str(tmp_path / "spec.yaml"), "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    return tmp_path / "out"


def test_every_test_file_that_was_written_is_shown_to_promtool(out: Path, tmp_path: Path) -> None:
    program = tmp_path / "promtool"
    program.write_text(BELIEVER % (tmp_path / "shown"))
    program.chmod(0o755)
    done = CliRunner().invoke(cli, ["test", str(out), "--promtool", str(program), "--format", "json"])
    assert done.exit_code == 0, done.output
    written = sorted((out / "tests").rglob("*.yaml"))
    shown = (tmp_path / "shown").read_text().split()
    assert sorted(word for word in shown if word.endswith(".test.yaml")) == [str(path) for path in written]
    kinds = {path.name.split(".")[1].split("-")[0] for path in written}
    assert kinds == {"fast", "slow", "schedule", "adjusted"}
    checks = [
        len(group.get(kind, ()))
        for path in written
        for group in yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)["tests"]
        for kind in ("promql_expr_test", "alert_rule_test")
    ]
    assert json.loads(done.stdout)["summary"]["tests"] == sum(checks)


@pytest.mark.parametrize(("environment", "painted"), [({"NO_COLOR": "1"}, False), ({"CLICOLOR_FORCE": "1"}, True)])
def test_what_holds_is_told_by_file_on_request_and_in_colour_where_it_is_wanted(
    environment: dict[str, str], painted: bool, out: Path, tmp_path: Path
) -> None:
    program = tmp_path / "promtool"
    program.write_text(BELIEVER % (tmp_path / "shown"))
    program.chmod(0o755)
    runner = CliRunner(env={"NO_COLOR": "", "CLICOLOR_FORCE": "", **environment})
    done = runner.invoke(cli, ["test", str(out), "--promtool", str(program), "-v"])
    assert done.exit_code == 0, done.output
    ok, summary = done.stdout.splitlines()
    assert ok.startswith("\033[32mok\033[0m " if painted else "ok ")
    assert "rules/assistant/gate.yaml: " in ok
    assert summary.endswith(": \033[32mall hold\033[0m" if painted else ": all hold")


def test_rules_without_a_test_are_no_result(out: Path, promtool: str) -> None:
    for path in (out / "tests").rglob("*.yaml"):
        path.unlink()
    done = CliRunner().invoke(cli, ["test", str(out), "--promtool", promtool])
    assert done.exit_code == 1
    assert "there are no tests for these rules" in done.output


@pytest.mark.promtool
@pytest.mark.parametrize("kind", ["schedule", "adjusted-1"])
def test_a_check_that_does_not_hold_fails_whatever_file_it_is_in(kind: str, out: Path) -> None:
    for path in (out / "tests").rglob("*.yaml"):
        if f".{kind}." not in path.name:
            path.unlink()
    (path,) = (out / "tests").rglob("*.yaml")
    document = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    check = next(check for group in document["tests"] for check in group["promql_expr_test"] if check["exp_samples"])
    check["exp_samples"][0]["value"] += 3
    path.write_text(json.dumps(document))
    done = CliRunner().invoke(cli, ["test", str(out)])
    assert done.exit_code == 1
    assert "1 failed" in done.output


class TestWhatChanged:
    """`--changed` asks promtool again only about what it has not said yet."""

    @pytest.fixture
    def believer(self, tmp_path: Path) -> Path:
        program = tmp_path / "promtool"
        program.write_text(BELIEVER % (tmp_path / "shown"))
        program.chmod(0o755)
        return program

    def shown(self, out: Path, program: Path, *, holds: bool = True) -> tuple[str, list[str]]:
        """The result, and the files that promtool saw."""
        (program.parent / "shown").unlink(missing_ok=True)
        arguments = ["test", str(out), "--promtool", str(program), "--changed"]
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == (0 if holds else 1), done.output
        words = (program.parent / "shown").read_text().split()
        return done.stdout, [word for word in words if word.endswith(".yaml")]

    def test_promtool_is_not_asked_twice_and_the_summary_stays(self, out: Path, believer: Path) -> None:
        summary, first = self.shown(out, believer)
        assert first and summary.endswith("all hold\n")
        assert self.shown(out, believer) == (summary, [])

    @pytest.mark.parametrize("kind", ["rules", "tests"])
    def test_a_file_that_changed_is_proven_again(self, out: Path, believer: Path, kind: str) -> None:
        _, first = self.shown(out, believer)
        changed = next((out / kind).rglob("*.yaml"))
        changed.write_text(changed.read_text() + "# edited\n")
        assert self.shown(out, believer)[1] == first

    def test_a_test_file_that_is_gone_is_noticed(self, out: Path, believer: Path) -> None:
        self.shown(out, believer)
        next((out / "tests").rglob("*.slow.test.yaml")).unlink()
        assert self.shown(out, believer)[1]

    def test_what_failed_is_proven_again(self, out: Path, believer: Path) -> None:
        text = believer.read_text()
        believer.write_text(text + '[ "$1" = --version ] || exit 1\n')
        self.shown(out, believer, holds=False)
        believer.write_text(text)
        assert self.shown(out, believer)[1]

    def test_another_promtool_is_asked_of_everything(self, out: Path, believer: Path) -> None:
        self.shown(out, believer)
        believer.write_text(believer.read_text().replace("3.5.0", "3.5.1"))
        assert self.shown(out, believer)[1]

    def test_a_damaged_memory_is_done_without(self, out: Path, believer: Path) -> None:
        self.shown(out, believer)
        memory = cache_path("held", out)
        assert memory is not None
        memory.write_bytes(memory.read_bytes().replace(b"rules/", b"rulez/"))
        assert self.shown(out, believer)[1]
