"""`validate --changed`: changed files are judged as in a run over all of them, and the others only where they bear on these."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slo_compiler.changed import Judgement, check_changed
from slo_compiler.cli import cli
from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity
from slo_compiler.pipeline import check_files
from slo_compiler.resolve.environment import Environment
from slo_compiler.write.cache import cache_path
from slo_compiler.write.index import Index, read_index, write_index

INFERENCE = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {{name: {name}}}
spec:
  service: {service}
  model: acme/{model}
  engine: {{name: vllm, version: "0.11"}}
  selector: {{job: {job}}}
  experienceClass: conversational
  objectives:
    - {{sli: ttft, threshold: {threshold}, target: 95%}}
  alerting: {{policy: {policy}}}
"""
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: desk
  indicatorRef: {indicator}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.99}}]
  alertPolicies: [{{alertPolicyRef: fast}}]
"""
SLI = """\
apiVersion: openslo/v1
kind: SLI
metadata: {{name: {name}}}
spec:
  ratioMetric:
    counter: true
    bad: {{metricSource: {{metricSourceRef: {source}, spec: {{query: '{metric}{{code="500"}}'}}}}}}
    total: {{metricSource: {{metricSourceRef: {source}, spec: {{query: '{metric}'}}}}}}
"""
SOURCE = """\
apiVersion: openslo/v1
kind: DataSource
metadata: {{name: {name}}}
spec: {{type: Prometheus, connectionDetails: {{url: "http://prometheus:9090"}}}}
"""
ALERTS = """\
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {{name: {name}}}
spec:
  alertWhenBreaching: true
  conditions:
    - kind: AlertCondition
      metadata: {{name: burn}}
      spec:
        severity: page
        condition: {{kind: burnrate, op: gte, threshold: {factor}, lookbackWindow: 1h, alertAfter: 3m}}
  notificationTargets: [{{kind: AlertNotificationTarget, metadata: {{name: desk}}, spec: {{target: slack}}}}]
"""
POLICY = """\
apiVersion: slo-compiler/v1
kind: BurnRatePolicy
metadata: {{name: {name}}}
spec:
  tiers:
    - {{factor: {factor}, longWindow: 1h, shortWindow: 5m, severity: page}}
"""


def inference(name: str, *, service: str = "desk", model: str = "", job: str = "", **changes: str) -> str:
    values = {"threshold": "250ms", "policy": "default", "model": model or name, "job": job or name, **changes}
    return INFERENCE.format(name=name, service=service, **values)


# What each file holds by turns; the first of each is sound, by itself and with the others.
FILES: dict[str, tuple[str, ...]] = {
    "specs/a.yaml": (
        inference("a"),
        inference("a", threshold="251ms"),
        inference("b", model="a", job="a"),
        inference("a", model="c", job="c"),
        "kind: [",
        inference("a", policy="steep"),
    ),
    "specs/b.yaml": (inference("b"), inference("b", model="a", job="a"), inference("b", policy="[fast]")),
    "specs/c.yaml": (inference("c", policy="[quick]"), inference("c", policy="nowhere"), inference("c", job="d")),
    "specs/p.yaml": ("", POLICY.format(name="steep", factor=13), POLICY.format(name="steep", factor=99999)),
    "specs/sli.yaml": (
        SLI.format(name="errors", source="prom", metric="asked_total"),
        SLI.format(name="errors", source="lost", metric="asked_total"),
        SLI.format(name="other", source="prom", metric="asked_total"),
        SLI.format(name="errors", source="prom", metric="asked total"),
    ),
    "specs/slo.yaml": (
        SLO.format(name="served", indicator="errors"),
        SLO.format(name="served", indicator="eror"),
        SLO.format(name="a-ttft", indicator="other"),
    ),
    "specs/source.yaml": (
        SOURCE.format(name="prom"),
        SOURCE.format(name="lost"),
        SOURCE.format(name="prom") + "x: y\n",
    ),
    "specs/alerts.yaml": (
        ALERTS.format(name="fast", factor=11) + "---\n" + ALERTS.format(name="quick", factor=12),
        ALERTS.format(name="fast", factor=11),
        ALERTS.format(name="fast", factor=-1) + "---\n" + ALERTS.format(name="quick", factor=12),
    ),
    "specs/again.yaml": ("", ALERTS.format(name="fast", factor=17), SOURCE.format(name="prom")),
}
CHOICES = st.fixed_dictionaries(
    {path: st.sampled_from([*variants, None]) | st.just(variants[0]) for path, variants in FILES.items()}
)
TRIVIAL = {path: variants[0] for path, variants in FILES.items()}


def write(texts: dict[str, str | None]) -> list[str]:
    """Brings the files of the working directory to these texts; None removes one. All that are there."""
    Path("specs").mkdir(exist_ok=True)
    for path, text in texts.items():
        if text is None:
            Path(path).unlink(missing_ok=True)
        else:
            Path(path).write_text(text, encoding="utf-8")
    return sorted(path for path, text in texts.items() if text is not None)


def judge(files: list[str], changed: Collection[str] | None, known: Index | None = None) -> Judgement:
    return check_changed(files, changed, Environment(), known or Index("now"))


def kept(index: Index, folder: Path) -> Index:
    """An index as the next run finds it."""
    write_index(folder / "index.json", index)
    found = read_index(folder / "index.json", "now")
    assert found.is_of(index)
    return found


def told(judgement: Judgement) -> list[tuple[str, str]]:
    return [(item.span.path, item.code.name) for item in loud(judgement.checked.diagnostics)]


def loud(found: list[Diagnostic]) -> list[Diagnostic]:
    """Without information: of the names that a name is near to, only those are known that were read."""
    return [item for item in found if item.severity is not Severity.INFO]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=CHOICES, after=CHOICES, touched=st.sets(st.sampled_from(sorted(FILES)), max_size=3))
def test_an_index_changes_nothing_but_the_time(
    before: dict[str, str | None], after: dict[str, str | None], touched: set[str], folder: Path
) -> None:
    """Whatever changed since the index was kept, told of or not, the findings are those of a run without one."""
    index = kept(judge(write(before), None).index, folder)
    files = write(after)
    cold, warm = judge(files, touched), judge(files, touched, index)
    assert warm.judged == cold.judged >= touched & {*files}
    assert warm.checked.diagnostics == cold.checked.diagnostics
    whole = check_files(files, Environment(), compiling=False)
    of_judged = [item for item in loud(whole.diagnostics) if item.span.path in cold.judged]
    assert [item for item in loud(cold.checked.diagnostics) if item.span.path in cold.judged] == of_judged
    pairs = [item for item in cold.checked.diagnostics if item.span.path not in cold.judged]
    assert {item.code for item in pairs} <= {Code.SLO205, Code.SLO405, Code.SLO406}
    if cold.judged:
        assert judge(files, touched, kept(warm.index, folder)).checked.diagnostics == cold.checked.diagnostics


@pytest.mark.parametrize(
    ("changes", "changed", "expected"),
    [
        ({}, ["specs/a.yaml"], []),
        ({"specs/a.yaml": "kind: ["}, ["specs/a.yaml"], [("specs/a.yaml", "SLO101")]),
        ({"specs/a.yaml": "kind: ["}, ["specs/b.yaml"], []),
        (
            {"specs/sli.yaml": FILES["specs/sli.yaml"][2]},
            ["specs/sli.yaml"],
            [("specs/slo.yaml", "SLO204")],
        ),
        ({"specs/sli.yaml": None}, [], [("specs/slo.yaml", "SLO204")]),
        ({"specs/alerts.yaml": FILES["specs/alerts.yaml"][1]}, [], [("specs/c.yaml", "SLO204")]),
        (
            {"specs/source.yaml": FILES["specs/source.yaml"][1]},
            ["specs/source.yaml"],
            [("specs/sli.yaml", "SLO204")],
        ),
        ({"specs/a.yaml": FILES["specs/a.yaml"][2]}, ["specs/a.yaml"], [("specs/b.yaml", "SLO205")]),
        ({"specs/c.yaml": inference("a", model="c", job="c")}, ["specs/c.yaml"], [("specs/c.yaml", "SLO205")]),
        ({"specs/again.yaml": FILES["specs/again.yaml"][1]}, ["specs/again.yaml"], [("specs/alerts.yaml", "SLO205")]),
    ],
    ids=[
        "a sound file has no findings",
        "a broken file has its own",
        "the broken file that did not change is not judged",
        "an SLI that is renamed is missed where it is named",
        "an SLI whose file is gone is missed, although nobody says so",
        "an alert policy that is gone is missed by the spec that lists it",
        "a data source that is renamed is missed by an SLI",
        "a spec that takes a later one's name is told at the later one",
        "a spec that takes an earlier one's name is told itself",
        "a definition that takes a later one's name is told at the later one",
    ],
)
def test_what_changed_is_judged_among_all(
    changes: dict[str, str | None], changed: list[str], expected: list[tuple[str, str]], folder: Path
) -> None:
    index = kept(judge(write({**TRIVIAL}), None).index, folder)
    files = write({**TRIVIAL, **changes})
    found = {item for item in told(judge(files, changed, index)) if item[1] not in ("SLO407", "SLO403")}
    assert found == {*expected}


ENGINE = """\
apiVersion: slo-compiler/v1
kind: Engine
metadata: {name: in-house, displayName: In-house server}
spec:
  versions: {oldest: b7, newest: b7, known: [b7]}
  leFormat: plain
  source: our own program
  verifiedAt: [b7]
  labelSets: {all: [deployment]}
  bucketSets: {wait: [{versions: ">=b7", edges: [10, 170]}]}
  metrics:
    - {role: ttft, name: wait_ms, type: histogram, unit: milliseconds, counts: requests, labels: all, buckets: wait}
"""


def test_what_came_untold_is_known_of_those_that_need_it(folder: Path) -> None:
    """A spec read no series when the index was kept; now its engine is there, and a changed spec reads the same ones."""

    def own(name: str) -> str:
        spec = inference(name, model="m", job="j", threshold="170ms")
        return spec.replace('vllm, version: "0.11"', "in-house, version: b7")

    before: dict[str, str | None] = {**TRIVIAL, "specs/served.yaml": own("served")}
    index = kept(judge(write(before), None).index, folder)
    (facts,) = index.files["specs/served.yaml"].specs
    assert facts[1] == []
    files = write({**before, "specs/engine.yaml": ENGINE, "specs/a.yaml": own("a")})
    assert ("specs/served.yaml", "SLO405") in told(judge(files, ["specs/a.yaml"], index))


def test_a_hint_names_the_nearest_of_all_definitions(folder: Path) -> None:
    index = kept(judge(write({**TRIVIAL}), None).index, folder)
    files = write({**TRIVIAL, "specs/b.yaml": inference("b", policy="[quik]")})
    (missing,) = [
        item
        for item in judge(files, ["specs/b.yaml"], index).checked.diagnostics
        if item.code is Code.SLO204 and item.severity is Severity.ERROR
    ]
    assert "quick" in missing.hint


def test_specs_that_read_the_same_series_are_told_whichever_changed(folder: Path) -> None:
    shared = inference("b", model="a", job="a")
    files = write({"specs/a.yaml": inference("a"), "specs/b.yaml": shared, "specs/c.yaml": inference("c")})
    index = kept(judge(files, None).index, folder)
    for changed in ("specs/a.yaml", "specs/b.yaml"):
        assert ("specs/b.yaml", "SLO405") in told(judge(files, [changed], index))
    assert "SLO405" not in {code for _, code in told(judge(files, ["specs/c.yaml"], index))}


def test_a_clash_of_two_others_is_not_told(folder: Path) -> None:
    """b and c share a name; a, which changed, reads the series of both."""
    files = write(
        {
            "specs/a.yaml": inference("a", model="x", job="x"),
            "specs/b.yaml": inference("b", model="x", job="x"),
            "specs/c.yaml": inference("b", model="x", job="x"),
        }
    )
    index = kept(judge(files, None).index, folder)
    found = told(judge(files, ["specs/a.yaml"], index))
    assert ("specs/c.yaml", "SLO205") in told(judge(files, None))
    assert ("specs/c.yaml", "SLO205") not in found
    assert ("specs/b.yaml", "SLO405") in found


@pytest.mark.parametrize(
    ("changed", "judged"),
    [
        (["specs/a.yaml"], {"specs/a.yaml"}),
        (["specs/alerts.yaml"], {"specs/alerts.yaml", "specs/slo.yaml", "specs/c.yaml"}),
        (["specs/source.yaml"], {"specs/source.yaml", "specs/sli.yaml", "specs/slo.yaml"}),
        (["specs/p.yaml"], {*FILES}),
        (["README.md", "out/rules/desk/a.yaml", "specs/gone.yaml"], set()),
    ],
    ids=["a spec", "an alert policy", "a data source", "a burn-rate policy", "nothing of ours"],
)
def test_who_is_judged(changed: list[str], judged: set[str]) -> None:
    files = write({**TRIVIAL, "specs/p.yaml": FILES["specs/p.yaml"][1]})
    assert judge(files, changed).judged == judged


def test_parts_of_one_spec_are_judged_together(folder: Path) -> None:
    two = inference("a").replace("  alerting", "    - {sli: itl, threshold: 25ms, target: 95%}\n  alerting")
    write({"specs/a.yaml": two})
    expanded = run("expand", "specs/a.yaml").stdout
    parts = [part for part in expanded.split("---\n") if "kind: SLO\n" in part]
    files = write({"specs/a.yaml": None, **{f"specs/part-{number}.yaml": part for number, part in enumerate(parts)}})
    assert len(files) == 2
    index = kept(judge(files, None).index, folder)
    assert judge(files, files[1:], index).judged == {*files}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


class TestCommand:
    @pytest.fixture
    def index_file(self) -> Path:
        write({**TRIVIAL})
        found = cache_path("index", Path.cwd())
        assert found is not None and not found.exists()
        return found

    def test_a_broken_spec_fails_with_its_diagnostic(self, index_file: Path) -> None:
        Path("specs/b.yaml").write_text(inference("b", threshold="fast"), encoding="utf-8")
        result = run("validate", "--changed", "specs/b.yaml")
        assert result.exit_code == 1
        assert "specs/b.yaml:11:30: error[SLO203]" in result.stderr
        assert run("validate", "--changed", "specs/a.yaml").exit_code == 0

    def test_no_path_is_nothing_to_judge(self, index_file: Path) -> None:
        Path("specs/b.yaml").write_text("kind: [", encoding="utf-8")
        result = run("validate", "--changed")
        assert (result.exit_code, result.stderr) == (0, "0 files checked, no errors\n")

    def test_settings_that_changed_have_all_judged(self, index_file: Path) -> None:
        Path("slo-compiler.yaml").write_text("defaults: {period: 14d}\n", encoding="utf-8")
        Path("specs/b.yaml").write_text("kind: [", encoding="utf-8")
        assert run("validate", "--changed", "specs/a.yaml").exit_code == 0
        assert run("validate", "--changed", "specs/a.yaml", "slo-compiler.yaml").exit_code == 1

    def test_catalogs_that_changed_have_all_judged(self, index_file: Path) -> None:
        Path("slo-compiler.yaml").write_text("catalogs: [policies.yaml]\n", encoding="utf-8")
        Path("policies.yaml").write_text(FILES["specs/p.yaml"][1], encoding="utf-8")
        Path("specs/b.yaml").write_text(inference("b", policy="steep"), encoding="utf-8")
        assert run("validate", "--changed", "specs/b.yaml").exit_code == 0
        Path("policies.yaml").write_text(POLICY.format(name="other", factor=13), encoding="utf-8")
        assert "error[SLO204]" in run("validate", "--changed", "policies.yaml").stderr

    @pytest.mark.parametrize("output", ["json", "sarif", "github", "gitlab"])
    def test_other_formats_tell_the_same_files(self, index_file: Path, output: str) -> None:
        Path("specs/b.yaml").write_text(inference("b", threshold="fast"), encoding="utf-8")
        found = run("validate", "--changed", "specs/b.yaml", "--format", output).stdout
        assert "specs/b.yaml" in found and "specs/c.yaml" not in found

    def test_a_run_that_changes_nothing_leaves_the_index_alone(self, index_file: Path) -> None:
        run("validate", "--changed", "specs/a.yaml")
        os.utime(index_file, (7, 7))
        run("validate", "--changed", "specs/b.yaml")
        assert index_file.stat().st_mtime == 7
        Path("specs/b.yaml").write_text(FILES["specs/b.yaml"][2], encoding="utf-8")
        run("validate", "--changed", "specs/b.yaml")
        assert index_file.stat().st_mtime > 7

    def test_another_configuration_finds_no_index(self, index_file: Path) -> None:
        run("validate", "--changed", "specs/a.yaml")
        state = json.loads(index_file.read_bytes().partition(b"\n")[2])["state"]
        Path("slo-compiler.yaml").write_text("defaults: {period: 14d}\n", encoding="utf-8")
        run("validate", "--changed", "specs/a.yaml")
        assert json.loads(index_file.read_bytes().partition(b"\n")[2])["state"] != state

    @pytest.mark.parametrize(
        "damage",
        [
            lambda content: b"",
            lambda content: content[: len(content) // 2],
            lambda content: content.replace(b"specs/a.yaml", b"specs/x.yaml"),
            lambda content: b"\xff" + content,
            lambda content: b"0\n[]",
        ],
        ids=["empty", "cut off", "a name changed", "no text", "another file's"],
    )
    def test_a_damaged_index_is_made_anew(self, index_file: Path, damage: object) -> None:
        run("validate", "--changed", "specs/a.yaml")
        whole = index_file.read_bytes()
        assert callable(damage)
        index_file.write_bytes(damage(whole))
        Path("specs/sli.yaml").unlink()
        result = run("validate", "--changed", "specs/a.yaml")
        assert result.exit_code == 1
        assert "specs/slo.yaml:6:17: error[SLO204]" in result.stderr
        Path("specs/sli.yaml").write_text(FILES["specs/sli.yaml"][0], encoding="utf-8")
        run("validate", "--changed", "specs/sli.yaml")
        assert index_file.read_bytes() == whole

    def test_a_cache_that_cannot_be_written_is_done_without(
        self, index_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("taken").write_text("no folder", encoding="utf-8")
        monkeypatch.setenv("XDG_CACHE_HOME", str(Path("taken").absolute()))
        assert run("validate", "--changed", "specs/a.yaml").exit_code == 0
        assert not index_file.exists()

    def test_nothing_is_written_beside_the_specs(self, index_file: Path) -> None:
        run("validate", "--changed", "specs/a.yaml")
        assert index_file.exists()
        assert sorted(path.name for path in Path.cwd().iterdir()) == ["specs"]
