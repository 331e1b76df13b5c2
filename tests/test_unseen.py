"""What an engine cannot see is on its page, and a spec that relies on it is told so; an engine is one file and no code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from click.testing import CliRunner

import slo_compiler
from slo_compiler.cli import cli
from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.documents.config import Config
from slo_compiler.documents.sight import UNSEEN_TITLES, BlindSpot, Unseen
from slo_compiler.engine_versions import resolve_engine
from slo_compiler.engines import load_builtin_engines
from slo_compiler.pipeline import check_files
from slo_compiler.plain_text import escape_markdown
from slo_compiler.resolve.environment import Environment
from slo_compiler.slis import load_slis

ROOT = Path(slo_compiler.__file__).parent
PAGE = (ROOT.parent / "docs" / "engines.md").read_text("utf-8")
SHIPPED = load_builtin_engines()
SECTIONS = dict(zip(SHIPPED, PAGE.split("### What cannot be seen\n")[1:], strict=True))


def found(
    folder: Path, objective: str, *, engine: str = '{name: vllm, version: "0.11"}', ignore: str = ""
) -> list[tuple[Severity, str, int]]:
    path = folder / "spec.yaml"
    path.write_text(
        "apiVersion: slo-compiler/v1\nkind: InferenceSLO\nmetadata: {name: odd}\nspec:\n  service: lab\n  model: odd-7b\n"
        f"  engine: {engine}\n  selector: {{job: odd}}\n  stage: dev\n  objectives:\n    - {objective}{ignore}\n",
        "utf-8",
    )
    checked = check_files([str(path)], Environment(Config()))
    assert not checked.failed, checked.diagnostics
    return [(item.severity, item.message, item.span.column) for item in checked.diagnostics if item.code is Code.SLO410]


def spot(engine: str, unseen: Unseen, sli: str = "availability") -> BlindSpot:
    (only,) = [one for one in SHIPPED[engine].spec.unseen if one.unseen is unseen and sli in one.slis]
    return only


def test_an_engines_own_view_of_errors_says_in_its_words_what_it_cannot_see(tmp_path: Path) -> None:
    ((severity, message, column),) = found(tmp_path, "{sli: availability, target: 97%, source: {engine: vllm}}")
    assert severity is Severity.WARNING
    assert column == len("    - {sli: availability, target: 97%, source: {engine: ") + 1
    assert message.startswith(
        "availability of vLLM 0.11 cannot see requests that the client leaves, errors inside a stream and what a killed "
        "process had not shown yet: "
    )
    for unseen in Unseen:
        assert spot("vllm", unseen).says.rstrip(".") in message


GATEWAYS = {
    "envoy": "cannot see requests that the client leaves and errors inside a stream: ",
    "litellm": "cannot see requests that the client leaves: A request that the client leaves counts as status 200",
    "ingress-nginx": "cannot see errors inside a stream: An error after the stream began is a 200",
}


@pytest.mark.parametrize(("engine", "said"), GATEWAYS.items())
def test_a_gateway_that_sees_most_says_the_rest_as_information(engine: str, said: str, tmp_path: Path) -> None:
    objective = f"{{sli: availability, target: 97%, source: {{engine: {engine}}}}}"
    ((severity, message, _),) = found(tmp_path, objective)
    assert severity is Severity.INFO
    assert said in message


MISLEADING = {
    "a reason that stays 0": ("bad: 'vllm:request_success_total{finished_reason=\"abort\"}'", True),
    "one of several reasons": ("bad: 'vllm:request_success_total{finished_reason=~\"abort|error\"}'", True),
    "all but that reason as good": ("good: 'vllm:request_success_total{finished_reason!=\"abort\"}'", False),
    "another reason": ("bad: 'vllm:request_success_total{finished_reason=\"length\"}'", False),
    "the same label on another program's counter": ("bad: 'gw_total{finished_reason=\"abort\"}'", False),
    "a pattern that Python cannot read": ("bad: 'vllm:request_success_total{finished_reason=~\"\\\\pL+\"}'", False),
}


@pytest.mark.parametrize(("part", "told"), MISLEADING.values(), ids=MISLEADING)
def test_a_ratio_that_asks_for_what_is_never_counted_is_warned(part: str, told: bool, tmp_path: Path) -> None:
    total = "gw_total" if "gw_total" in part else "vllm:request_success_total"
    said = found(tmp_path, f"{{sli: ratio, name: kept, target: 97%, total: '{total}', {part}}}")
    assert [severity for severity, _, _ in said] == ([Severity.WARNING] if told else [])
    if told:
        start = (
            "vllm:request_success_total of vLLM 0.11 does not tell requests that the client leaves by finished_reason: "
        )
        assert said[0][1] == start + spot("vllm", Unseen.CLIENT_LEFT).says.rstrip(".")


@pytest.mark.parametrize(
    "objective",
    [
        "{sli: availability, target: 97%, source: {bad: 'gw_total{code=~\"5..\"}', total: gw_total}}",
        "{sli: ttft, threshold: 250ms, target: 97%}",
        "{sli: e2e, threshold: 10s, target: 97%}",
    ],
    ids=["counters of a gateway", "first tokens", "whole answers"],
)
def test_what_promises_no_more_than_it_sees_is_not_warned(objective: str, tmp_path: Path) -> None:
    assert found(tmp_path, objective) == []


def test_the_engines_view_that_is_wanted_is_silenced_with_a_reason(tmp_path: Path) -> None:
    ignore = "   # slo-compiler: ignore SLO410 beside the gateway's, to tell whose fault it is"
    assert found(tmp_path, "{sli: availability, target: 97%, source: {engine: vllm}}", ignore=ignore) == []


# ---- the pages ----


@pytest.mark.parametrize("engine", SHIPPED)
def test_the_page_of_every_engine_says_what_of_the_three_it_can_tell(engine: str) -> None:
    section = SECTIONS[engine].split("\nSource: ")[0]
    for unseen, title in UNSEEN_TITLES.items():
        (line,) = [line for line in section.splitlines() if line.startswith(f"- {title[0].upper()}{title[1:]}: ")]
        said = [one.says for one in SHIPPED[engine].spec.unseen if one.unseen is unseen]
        assert all(escape_markdown(sentence) in line for sentence in said)
        assert said or line.endswith(("not looked up; count on nothing that tells.", "says that it is gone."))
    for sentence in resolve_engine(SHIPPED[engine], None).blind_spots:
        assert escape_markdown(sentence) in section


@pytest.mark.parametrize("engine", SHIPPED)
def test_blind_spots_are_about_slis_and_labels_that_there_are(engine: str) -> None:
    document = SHIPPED[engine].spec
    labels = {
        label if isinstance(label, str) else label.name for labels in document.label_sets.values() for label in labels
    }
    for one in SHIPPED[engine].spec.unseen:
        assert set(one.slis) <= {*load_slis()}
        assert set(one.misleading) <= labels


def test_the_page_of_vllm_tells_all_three() -> None:
    assert {one.unseen for one in SHIPPED["vllm"].spec.unseen} == set(Unseen)
    shown = CliRunner().invoke(cli, ["engines", "show", "vllm@0.11"]).stdout
    for unseen in Unseen:
        assert spot("vllm", unseen).says in shown


# ---- one file and no code ----


def test_no_code_knows_an_engine_by_name() -> None:
    """An engine is a file: no module has the name of one as a value, but for the answer that `init` offers first."""
    named = {
        (path.relative_to(ROOT).as_posix(), node.value)
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in SHIPPED
    }
    assert named <= {("cli/init.py", "vllm")}


@pytest.mark.promtool
def test_a_file_beside_the_specs_is_an_engine_of_which_rules_and_proofs_are_made(tmp_path: Path) -> None:
    specs, out = tmp_path / "specs", tmp_path / "out"
    specs.mkdir()
    (specs / "engine.yaml").write_text(
        """\
apiVersion: slo-compiler/v1
kind: Engine
metadata: {name: odd-engine}
spec:
  leFormat: go
  blindSpots: [{unseen: killed, slis: [availability], says: its last words are lost}]
  availability: {total: odd_answers, bad: {end: "broken"}}
  source: its own page
  verifiedAt: ["3.1.7"]
  labelSets: {wait: [shard], end: [end]}
  bucketSets: {wait: [{edges: [7, 130, 2000000]}]}
  metrics:
    - {role: ttft, name: odd_wait_us, type: histogram, unit: microseconds, counts: requests, labels: wait, buckets: wait}
    - {role: requests_total, name: odd_answers, type: counter, unit: requests, counts: requests, labels: end}
""",
        "utf-8",
    )
    (specs / "spec.yaml").write_text(
        """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: odd}
spec:
  service: lab
  model: odd-7b
  engine: {name: odd-engine}
  selector: {job: odd}
  stage: dev
  objectives:
    - {sli: ttft, threshold: 2s, target: 97%}
    - {sli: availability, target: 97%, source: {engine: odd-engine}}
""",
        "utf-8",
    )
    done = CliRunner().invoke(cli, ["compile", str(specs), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "cannot see what a killed process had not shown yet: its last words are lost" in " ".join(
        done.output.split()
    )
    rules = (out / "rules" / "lab" / "odd.yaml").read_text("utf-8")
    assert "odd_wait_us_bucket" in rules
    assert 'odd_answers{job="odd",end="broken"}' in rules
    done = CliRunner().invoke(cli, ["test", str(out)])
    assert done.exit_code == 0, done.output
