"""`validate --changed`: changed files are judged as in a run over all of them, and the others only where they bear on these."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import slo_compiler
from slo_compiler.changed import Judgement, check_changed
from slo_compiler.cli import cli
from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity
from slo_compiler.pipeline import Checked, check_files
from slo_compiler.resolve.environment import Environment
from slo_compiler.write import fingerprint
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
ENGINE = """\
apiVersion: slo-compiler/v1
kind: Engine
metadata: {{name: {name}, displayName: In-house server}}
spec:
  versions: {{oldest: b7, newest: b7, known: [b7]}}
  leFormat: plain
  source: our own program
  verifiedAt: [b7]
  labelSets: {{all: [deployment]}}
  bucketSets: {{wait: [{{versions: ">=b7", edges: [10, 170]}}]}}
  metrics:
    - {{role: {role}, name: wait_ms, type: histogram, unit: milliseconds, counts: requests, labels: all, buckets: wait}}
"""
CATALOG = """\
apiVersion: slo-compiler/v1
kind: ExperienceCatalog
metadata: {{name: ours}}
spec:
  sources: {{OURS: what support says}}
  useCases:
    {name}:
      title: {{value: Support chat, source: OURS}}
      experienceClass: {{value: conversational, source: OURS}}
      trafficProfile: {{value: p512_o256, source: OURS}}
      target: {{value: 96%, source: OURS}}
      ttft: {{value: {ttft}, source: OURS}}
      itl: {{value: 25ms, source: OURS}}
"""
OLD_SLO = """\
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: old}
spec:
  service: desk
  description: as it was written years ago
  timeWindows: [{count: 28, unit: Day, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - displayName: answered
      target: 0.99
      ratioMetrics:
        incremental: true
        good: {source: prometheus, queryType: promql, query: 'asked_total{code="200"}'}
        total: {source: prometheus, queryType: promql, query: 'asked_total'}
  alertPolicies: [quick]
"""


def inference(name: str, *, service: str = "desk", model: str = "", job: str = "", **changes: str) -> str:
    values = {"threshold": "250ms", "policy": "default", "model": model or name, "job": job or name, **changes}
    return INFERENCE.format(name=name, service=service, **values)


def measured_by(engine: str, spec: str) -> str:
    return spec.replace('vllm, version: "0.11"', f"{engine}, version: b7").replace("250ms", "170ms")


def of_use_case(name: str, spec: str) -> str:
    """With the use case's own threshold, which the spec does not write."""
    return spec.replace("experienceClass: conversational", f"useCase: {name}").replace("threshold: 250ms, ", "")


def scraped(pods: str, spec: str) -> str:
    return spec.replace("  objectives", f"  scraping: {{select: app={pods}}}\n  objectives")


# What each file holds by turns; the first of each is sound, by itself and with the others.
FILES: dict[str, tuple[str, ...]] = {
    "specs/a.yaml": (
        inference("a"),
        inference("a", threshold="251ms"),
        inference("b", model="a", job="a"),
        inference("a", model="c", job="c"),
        "kind: [",
        inference("a", policy="steep"),
        scraped("odd", inference("a")),
        measured_by("in-house", inference("a", model="e", job="e")),
    ),
    "specs/b.yaml": (inference("b"), inference("b", model="a", job="a"), inference("b", policy="[fast]")),
    "specs/c.yaml": (inference("c", policy="[quick]"), inference("c", policy="nowhere"), inference("c", job="d")),
    "specs/p.yaml": ("", POLICY.format(name="steep", factor=13), POLICY.format(name="steep", factor=99999)),
    "specs/e.yaml": (
        inference("e"),
        measured_by("in-house", inference("e")),
        of_use_case("support", inference("e", model="b", job="b")),
        scraped("odd", inference("e")),
        inference("e", policy="steep"),
    ),
    "specs/f.yaml": ("", CATALOG.format(name="support", ttft="250ms"), CATALOG.format(name="support", ttft="17d")),
    "specs/g.yaml": (
        "",
        ENGINE.format(name="in-house", role="ttft"),
        ENGINE.format(name="in-house", role="e2e"),
        ENGINE.format(name="vllm", role="e2e"),
    ),
    "specs/old.yaml": ("", OLD_SLO, OLD_SLO.replace("quick", "fast")),
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


# The same, and a spec for each thing that a repository may define for all.
NAMING: dict[str, str | None] = {
    **TRIVIAL,
    "specs/p.yaml": FILES["specs/p.yaml"][1],
    "specs/f.yaml": FILES["specs/f.yaml"][1],
    "specs/g.yaml": FILES["specs/g.yaml"][1],
    "specs/i.yaml": inference("i", policy="steep"),
    "specs/j.yaml": of_use_case("support", inference("j")),
    "specs/k.yaml": measured_by("in-house", inference("k")),
    "specs/l.yaml": scraped("odd", inference("l")),
}


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


@settings(max_examples=14, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    assert {item.code for item in pairs} <= {Code.SLO205, Code.SLO405, Code.SLO406, Code.SLO411}
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
        ({"specs/p.yaml": None}, [], [("specs/i.yaml", "SLO204")]),
        ({"specs/p.yaml": inference("p")}, ["specs/p.yaml"], [("specs/i.yaml", "SLO204")]),
        (
            {"specs/f.yaml": CATALOG.format(name="other", ttft="250ms")},
            [],
            [("specs/j.yaml", "SLO202"), ("specs/j.yaml", "SLO204")],
        ),
        ({"specs/g.yaml": None}, [], [("specs/k.yaml", "SLO401")]),
        (
            {
                "specs/alerts.yaml": ALERTS.format(name="fast", factor=11),
                "specs/c.yaml": None,
                "specs/old.yaml": OLD_SLO,
            },
            [],
            [("specs/old.yaml", "SLO204")],
        ),
        ({"specs/a.yaml": scraped("odd", inference("a"))}, ["specs/a.yaml"], [("specs/l.yaml", "SLO411")]),
        ({"specs/a.yaml": scraped("even", inference("a"))}, ["specs/a.yaml"], []),
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
        "a burn-rate policy whose file is gone is missed, although nobody says so",
        "a burn-rate policy whose file now holds a spec is missed where it is named",
        "a use case that its catalog has no more is missed where it is named",
        "an engine whose file is gone is missed where it is named",
        "an alert policy that is gone is missed by a spec in the older version of OpenSLO",
        "a spec that has the same replicas scraped is told, whatever series it reads",
        "a spec that has others scraped is not",
        "a data source that is renamed is missed by an SLI",
        "a spec that takes a later one's name is told at the later one",
        "a spec that takes an earlier one's name is told itself",
        "a definition that takes a later one's name is told at the later one",
    ],
)
def test_what_changed_is_judged_among_all(
    changes: dict[str, str | None], changed: list[str], expected: list[tuple[str, str]], folder: Path
) -> None:
    index = kept(judge(write({**NAMING}), None).index, folder)
    files = write({**NAMING, **changes})
    found = {item for item in told(judge(files, changed, index)) if item[1] not in ("SLO407", "SLO403", "SLO207")}
    assert found == {*expected}


def test_what_came_untold_is_known_of_those_that_need_it(folder: Path) -> None:
    """A spec read no series when the index was kept; now its engine is there, and a changed spec reads the same ones."""
    own = {name: measured_by("in-house", inference(name, model="m", job="j")) for name in ("a", "e")}
    before: dict[str, str | None] = {**TRIVIAL, "specs/e.yaml": own["e"]}
    index = kept(judge(write(before), None).index, folder)
    (facts,) = index.files["specs/e.yaml"].specs
    assert facts.readings == []
    files = write({**before, "specs/g.yaml": FILES["specs/g.yaml"][1], "specs/a.yaml": own["a"]})
    assert ("specs/e.yaml", "SLO405") in told(judge(files, ["specs/a.yaml"], index))


M = {"model": "m", "job": "j"}
OWN_CATALOG = CATALOG.format(name="support", ttft="250ms")
# No engine has a bucket for it, so that a spec of this use case reads nothing.
BROKEN_CATALOG = CATALOG.format(name="support", ttft="17d")


@pytest.mark.parametrize(
    ("e", "before", "after"),
    [
        (of_use_case("support", inference("e", **M)), "", OWN_CATALOG),
        (of_use_case("support", inference("e", **M)), BROKEN_CATALOG, OWN_CATALOG),
        (of_use_case("chatbot", inference("e", **M)), BROKEN_CATALOG.replace("support:", "chatbot:"), None),
        (of_use_case("chatbot", inference("e", **M)), BROKEN_CATALOG.replace("support:", "chatbot:"), inference("h")),
        (measured_by("own", inference("e", **M)), "", ENGINE.format(name="own", role="ttft")),
    ],
    ids=[
        "a catalog that came",
        "a catalog that says something else",
        "a catalog that is gone",
        "a catalog whose file now holds a spec",
        "an engine that came",
    ],
)
def test_what_all_draw_on_has_what_is_known_of_all_made_anew(
    e: str, before: str, after: str | None, folder: Path
) -> None:
    """A spec could not be read when the index was kept. Nobody touched it, and now a changed one reads the same series."""
    files = {**TRIVIAL, "specs/e.yaml": e, "specs/h.yaml": before}
    index = kept(judge(write({**files}), None).index, folder)
    assert not any(facts.readings for facts in index.files["specs/e.yaml"].specs)
    a = measured_by("own", inference("a", **M)) if "own" in e else inference("a", **M)
    given = write({**files, "specs/h.yaml": after, "specs/a.yaml": a})
    assert ("specs/e.yaml", "SLO405") in told(judge(given, ["specs/a.yaml"], index))


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


PARTS = {
    "builtin/engines/vllm.yaml": "engines",
    "builtin/policies/default.yaml": "policies",
    "builtin/slis.yaml": "slis",
    "builtin/catalog/adjustments.yaml": "catalog",
    "load/yaml.py": "code",
    "__init__.py": "code",
}


def test_every_fact_that_ships_and_the_code_tell_one_compiler_from_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "slo_compiler"
    shutil.copytree(Path(slo_compiler.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprint, "builtin_path", lambda *parts: package.joinpath("builtin", *parts))
    monkeypatch.setattr(fingerprint, "__file__", str(package / "write" / "fingerprint.py"))
    monkeypatch.setattr(fingerprint, "_builtin", fingerprint._builtin.__wrapped__)
    before = fingerprint.catalogs(None, kinds=(), flavour=None)
    for part, name in PARTS.items():
        with (package / part).open("a", encoding="utf-8") as file:
            file.write("\n# another\n")
        after = fingerprint.catalogs(None, kinds=(), flavour=None)
        assert {key for key in before if before[key] != after[key]} == {name}
        before = after


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

    @pytest.mark.parametrize(
        "named",
        ["./specs/b.yaml", "specs/../specs/b.yaml", "elsewhere/b.yaml", "again.yml", "specs", ".", "specs/gone.yaml"],
        ids=[
            "with a dot",
            "there and back",
            "by a link to the folder",
            "by a link",
            "its folder",
            "all",
            "another, gone",
        ],
    )
    def test_a_file_is_known_by_whatever_name(self, named: str, index_file: Path) -> None:
        Path("elsewhere").symlink_to("specs")
        Path("again.yml").symlink_to("specs/b.yaml")
        Path("specs/b.yaml").write_text("kind: [", encoding="utf-8")
        for path in (named, str(Path(named).absolute())):
            result = run("validate", "--changed", path)
            assert result.exit_code == 1
            assert "specs/b.yaml:1:8: error[SLO101]" in result.stderr

    @pytest.mark.parametrize("named", ["README.md", "out/rules/desk/gone.yaml", "other.yaml", "specs/gone.txt"])
    def test_what_is_none_of_ours_is_passed_over(self, named: str, index_file: Path) -> None:
        Path("other.yaml").write_text("x: y", encoding="utf-8")
        Path("specs/b.yaml").write_text("kind: [", encoding="utf-8")
        assert run("validate", "--changed", named).stderr == "0 files checked, no errors\n"

    def test_settings_that_are_gone_have_all_judged(self, index_file: Path) -> None:
        Path("specs/b.yaml").write_text("kind: [", encoding="utf-8")
        assert run("validate", "--changed", "slo-compiler.yaml").exit_code == 1

    def test_a_default_policy_that_is_gone_is_missed_by_all(self, index_file: Path) -> None:
        Path("slo-compiler.yaml").write_text("defaults: {policy: steep}\n", encoding="utf-8")
        spec = inference("b").replace("alerting: {policy: default}", "alerting: {mode: page}")
        Path("specs/b.yaml").write_text(spec, encoding="utf-8")
        Path("specs/p.yaml").write_text(POLICY.format(name="steep", factor=13), encoding="utf-8")
        assert run("validate", "--changed").exit_code == 0
        Path("specs/p.yaml").unlink()
        assert "default policy steep is not known" in run("validate", "--changed").stderr

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

    @pytest.mark.parametrize("of", ["code", "configuration", "engines"])
    def test_what_was_kept_is_not_believed_where_that_differs_which_it_was_made_of(
        self, of: str, index_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The index is made to say that c reads nothing: who believes it misses that a reads the same series."""
        Path("specs/c.yaml").write_text(inference("c", model="a", job="a"), encoding="utf-8")
        run("validate", "--changed", "specs/b.yaml")
        state = json.loads(index_file.read_bytes().partition(b"\n")[2])["state"]
        known = read_index(index_file, state)
        known.files["specs/c.yaml"] = known.files["specs/c.yaml"]._replace(specs=[])
        write_index(index_file, known)
        assert "SLO405" not in run("validate", "--changed", "specs/a.yaml").stderr
        before = fingerprint.catalogs(None, kinds=(), flavour=None)
        assert of in before
        monkeypatch.setattr(fingerprint, "catalogs", lambda *_, **__: {**before, of: "another"})
        assert "specs/c.yaml:8:13: warning[SLO405]" in run("validate", "--changed", "specs/a.yaml").stderr

    def test_a_file_of_the_same_size_and_time_is_read_again(self, index_file: Path) -> None:
        Path("specs/a.yaml").write_text(inference("a", threshold="250ms"), encoding="utf-8")
        os.utime("specs/a.yaml", (7, 7))
        assert run("validate", "--changed", "specs/a.yaml").exit_code == 0
        Path("specs/a.yaml").write_text(inference("a", threshold="25 ms"), encoding="utf-8")
        os.utime("specs/a.yaml", (7, 7))
        assert "error[SLO" in run("validate", "--changed", "specs/a.yaml").stderr

    def test_what_is_written_during_a_run_is_not_kept_as_judged(
        self, index_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """c reads a's series by the time that it is judged, and not any more afterwards; then it is as at first."""
        first, other = inference("c"), inference("c", model="a", job="a")
        Path("specs/c.yaml").write_text(other, encoding="utf-8")

        def check(*arguments: object, **options: object) -> Checked:
            Path("specs/c.yaml").write_text(first, encoding="utf-8")
            return check_files(*arguments, **options)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr("slo_compiler.changed.check_files", check)
            run("validate", "--changed", "specs/b.yaml")
        Path("specs/c.yaml").write_text(other, encoding="utf-8")
        assert "warning[SLO405]" in run("validate", "--changed", "specs/a.yaml").stderr

    def test_two_clones_know_nothing_of_each_other(self, index_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        run("validate", "--changed", "specs/a.yaml")
        shutil.copytree("specs", "clone/specs")
        monkeypatch.chdir("clone")
        assert cache_path("index", Path.cwd()) != index_file
        Path("specs/sli.yaml").unlink()
        assert "error[SLO204]" in run("validate", "--changed").stderr
        monkeypatch.chdir("..")
        assert run("validate", "--changed").exit_code == 0

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
