"""Pages of real processes after a load of which the client kept count: the compiled expressions count the same."""

from __future__ import annotations

import json
import runpy
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.emit.serialize import to_yaml
from slo_compiler.engine_versions import resolve_engine
from slo_compiler.engines import load_builtin_engines
from slo_compiler.live.pages import Page, read_page
from slo_compiler.promql import names
from slo_compiler.promql.build import string
from slo_compiler.slis import load_slis
from tests.promtool_case import Case, Compiled, Course, compile_text
from tests.real.between import CHANGE, END, SLOW, WITHIN, labels_text

PAGES = Path(__file__).parent / "pages"
EXPECTED: dict[str, Any] = yaml.safe_load((PAGES / "expected.yaml").read_text("utf-8"))
each_page = pytest.mark.parametrize("name", EXPECTED)


@dataclass(frozen=True)
class Count:
    """An objective and what its expressions are to count in the second half of the page."""

    objective: dict[str, Any]
    events: float
    good: float | None


def counts(name: str) -> list[Count]:
    found = []
    for sli, facts in EXPECTED[name]["slis"].items():
        objective: dict[str, Any] = {"sli": sli, "target": "93%"}
        if sli == "availability":
            objective["source"] = {"engine": EXPECTED[name]["engine"]["name"]}
        elif sli == "throughput":
            # A slice as long as a slow step sees every token once where it is judged once a step.
            objective |= {"rate": 17, "slice": "4m"}
        elif "threshold" in facts:
            objective["threshold"] = facts["threshold"]
        if "tokens" in facts:
            found.append(Count(objective, facts["tokens"] / 2, None))
        else:
            found.append(Count(objective, facts["events"] / 2, facts["good"] / 2))
    for ratio, facts in EXPECTED[name].get("counters", {}).items():
        selectors = {key: facts[key] for key in ("total", "good", "bad") if key in facts}
        events, good = facts["counts"]
        found.append(Count({"sli": "ratio", "name": ratio, "target": "93%", **selectors}, events / 2, good / 2))
    return found


def spec_of(name: str) -> str:
    facts = EXPECTED[name]
    return to_yaml(
        {
            "apiVersion": "slo-compiler/v1",
            "kind": "InferenceSLO",
            "metadata": {"name": "replay"},
            "spec": {
                "service": "captures",
                "model": facts.get("model", "tiny"),
                "engine": facts["engine"],
                "selector": {"job": "captured", **facts.get("selector", {})},
                "stage": "dev",
                "objectives": [count.objective for count in counts(name)],
            },
        }
    )


def text_of(name: str) -> str:
    return (PAGES / f"{name}.prom").read_text("utf-8")


def page_of(name: str) -> Page:
    return read_page(text_of(name))


def compiled(name: str, tmp_path: Path) -> Compiled:
    found = compile_text(tmp_path, spec_of(name))
    assert found.spec is not None, found.diagnostics
    return found


def course(value: float, *, counts: bool) -> Course:
    return lambda time: value / 2 if counts and time < CHANGE else value


def replay(case: Case, page: Page) -> None:
    """The page with half of every counter, scrape after scrape, and then the page itself."""
    target = {"job": "captured", "instance": "a:1"}
    case.scraped(f"up{labels_text(target)}", lambda _: 1)
    for metric, series in page.series.items():
        gauge = page.type_of(metric) == "gauge"
        for labels, value in series:
            case.scraped(f"{metric}{labels_text({**labels, **target})}", course(value, counts=not gauge))


def slo_name(objective: dict[str, Any]) -> str:
    return f"captures/replay-{objective.get('name', objective['sli'])}"


@pytest.mark.promtool
@each_page
def test_half_a_page_counts_half_of_what_the_client_sent(name: str, tmp_path: Path) -> None:
    case = Case(compiled(name, tmp_path), END, step=SLOW)
    replay(case, page_of(name))
    for objective, events, good in ((count.objective, count.events, count.good) for count in counts(name)):
        slo = f"{{slo_id={string(slo_name(objective))}}}"
        if good is None:
            case.about(END, f"sum_over_time({names.SLICE_VALUE}{slo}[{END}s]) * {SLOW}", events, WITHIN)
            continue
        case.about(END, f"sum_over_time({names.EVENTS['slow']}{slo}[{END}s])", events, WITHIN)
        bad = f"sum_over_time({names.BAD_EVENTS['slow']}{slo}[{END}s])"
        case.about(END, f"sum_over_time({names.EVENTS['slow']}{slo}[{END}s]) - {bad}", good, WITHIN)
    case.prove()


@each_page
def test_what_differs_from_what_was_sent_is_explained(name: str) -> None:
    for sli, facts in EXPECTED[name]["slis"].items():
        seen = {facts.get("tokens"), facts.get("events"), facts.get("good")} - {None}
        same = facts["sent"] in seen and (sli == "throughput" or facts["events"] == facts["sent"])
        assert same == ("because" not in facts), sli


@each_page
def test_every_sli_that_the_engine_has_is_replayed(name: str) -> None:
    wanted = EXPECTED[name]["engine"]
    engine = resolve_engine(load_builtin_engines()[wanted["name"]], wanted.get("version"))
    has = {sli.name for sli in load_slis().values() if any(map(engine.has, sli.roles))}
    if engine.availability is not None and engine.availability.total in page_of(name).series:
        has.add("availability")
    if engine.completion is not None:
        has.add("completion")
    assert set(EXPECTED[name]["slis"]) == has


@each_page
def test_check_metrics_finds_nothing_wrong_with_a_right_spec(name: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(spec_of(name), "utf-8")
    page = str(PAGES / f"{name}.prom")
    done = CliRunner().invoke(cli, ["check-metrics", str(path), "-q", "--format", "json", "--scrape", page])
    assert done.exit_code == 0, done.output
    results = json.loads(done.stdout)["results"]
    assert {result["slo"] for result in results} >= {slo_name(count.objective)[9:] for count in counts(name)}
    # What a page cannot show: labels of the scrape job, series that no one has needed yet, and the samples of a server
    # that has served nothing.
    untold = {(result["check"], result["message"].rpartition(" ")[0]) for result in results if result["ok"] is None}
    assert untold <= {
        ("labels", "job: added by scraping, which a page of the program cannot"),
        ("labels", 'no series matches {method="POST",status=~"5.."} yet, which reads as'),
        *([("samples", "is 0: nothing has been served")] if name == "vllm-0.10.2" else []),
    }


@each_page
def test_an_excerpt_leaves_out_other_families_and_nothing_else(name: str) -> None:
    script = runpy.run_path(str(PAGES.parent.parent / "scripts" / "excerpt_page.py"))
    engine = script["engine_of"](EXPECTED[name]["engine"]["name"])
    notes = list(takewhile(lambda line: not line.startswith(("# HELP", "# TYPE")), text_of(name).splitlines()))
    assert notes
    other = "# TYPE other_total counter\nother_total 3\n"
    cut = script["excerpt"](text_of(name) + other, engine, [note.removeprefix("# ") for note in notes])
    assert "\n".join(cut) == text_of(name).rstrip("\n")
