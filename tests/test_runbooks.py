"""Runbooks: what they say, that alerts link into them, and that the team's own words outlive every compilation."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click.testing
import promql_parser
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler.analysis.scenario import Phase, Scenario
from slo_compiler.analysis.simulate import simulate
from slo_compiler.cli import cli
from slo_compiler.documents.catalog import ExperienceCatalog
from slo_compiler.documents.config import Config
from slo_compiler.documents.engine import Role
from slo_compiler.documents.read import read_model
from slo_compiler.emit import rules, texts
from slo_compiler.emit.base import Context, RunbookPages
from slo_compiler.emit.explore import explore_url
from slo_compiler.emit.own_words import Damaged, emptied, filled, sections
from slo_compiler.emit.runbooks.about import About, about, comment, read_comment
from slo_compiler.emit.runbooks.page import page
from slo_compiler.emit.templating import render
from slo_compiler.emit.user_templates import TemplateFault, UserTemplates
from slo_compiler.ir import Spec
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_files
from slo_compiler.promql import names
from slo_compiler.resolve.environment import Environment
from slo_compiler.resources import builtin_path
from slo_compiler.runbook_texts import OTHER, RunbookTexts, load_runbook_texts
from slo_compiler.slis import load_slis
from slo_compiler.units import Duration

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: odd-chat, displayName: Odd chat, labels: {team: odd-team}}
spec:
  service: lab
  model: acme/odd
  servedModelName: odd
  endpoint: /v1/chat
  engine: {name: vllm, version: "0.11"}
  experienceClass: conversational
  selector: {job: odd}
  objectives:
    - {sli: ttft, threshold: 300ms, target: 97%}
    - {sli: availability, target: 99.7%, source: {bad: 'gw_total{code=~"5.."}', total: gw_total}}
"""
CONFIG = "urls: {runbooks: 'https://pages.example/runbooks', grafana: 'https://grafana.example/'}\n"
WORDS = "Ask *Kim* about the router:\n\n```sh\nkubectl get pods | grep router   # twice\n```\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec and settings, compiled once."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/odd.yaml").write_text(SPEC, "utf-8")
    Path("slo-compiler.yaml").write_text(CONFIG, "utf-8")
    assert compiled().exit_code == 0
    return tmp_path


def compiled(*arguments: str) -> click.testing.Result:
    return CliRunner().invoke(cli, ["compile", "specs", "-o", "out", "--only", "rules,runbooks", *arguments])


def written(path: str, section: str, words: str = WORDS) -> None:
    """Writes words into a section of a page."""
    target = Path(path)
    target.write_text(filled(target.read_text("utf-8"), {section: words}), "utf-8")


def words_in(path: str, section: str) -> str:
    return sections(Path(path).read_text("utf-8"))[section].words


def resolved(folder: Path, text: str = SPEC, config: Config | None = None) -> Spec:
    path = folder / "odd.yaml"
    path.write_text(text, "utf-8")
    checked = check_files([str(path)], Environment(config or Config()))
    assert not checked.failed, checked.diagnostics
    (spec,) = checked.specs
    return spec


ODD = "out/runbooks/lab/odd-chat.md"


def test_every_alert_of_the_rules_links_to_a_part_that_the_runbook_has(repository: Path) -> None:
    groups = yaml.safe_load(Path("out/rules/lab/odd-chat.yaml").read_text("utf-8"))["groups"]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    text = Path(ODD).read_text("utf-8")
    assert {rule["alert"] for rule in alerts} >= {"SLOBurnRatePage", "SLOSourceAbsent", "SLOEngineStalled"}
    for rule in alerts:
        page_address, _, fragment = rule["annotations"]["runbook_url"].partition("#")
        assert page_address == "https://pages.example/runbooks/lab/odd-chat.md"
        assert fragment == rule["alert"].lower()
        assert f'<a id="{fragment}"></a>\n\n## {rule["alert"]}\n' in text
    assert set(re.findall(r"^## (SLO\w+)$", text, re.M)) == {rule["alert"] for rule in alerts}


def test_a_page_of_the_teams_own_is_linked_as_it_is(repository: Path) -> None:
    own = "annotations: {slo-compiler/runbook: 'https://wiki.example/odd'}, "
    Path("specs/odd.yaml").write_text(SPEC.replace("{name: odd-chat, ", f"{{name: odd-chat, {own}"), "utf-8")
    assert compiled().exit_code == 0
    rule_text = Path("out/rules/lab/odd-chat.yaml").read_text("utf-8")
    assert set(re.findall(r"runbook_url: (\S+)", rule_text)) == {"https://wiki.example/odd"}
    assert "[The team's own runbook](<https://wiki.example/odd>)" in Path(ODD).read_text("utf-8")


def test_the_suffix_of_pages_is_that_of_the_site(repository: Path) -> None:
    Path("slo-compiler.yaml").write_text(CONFIG + "outputs: {runbooks: {suffix: /}}\n", "utf-8")
    assert compiled().exit_code == 0
    assert "https://pages.example/runbooks/lab/odd-chat/#sloburnratepage" in Path(
        "out/rules/lab/odd-chat.yaml"
    ).read_text("utf-8")


def test_numbers_of_a_tier_are_those_that_a_simulation_gives(tmp_path: Path) -> None:
    spec = resolved(tmp_path)
    text = page(spec, Context())
    scenario = Scenario((Phase(Decimal(1), Duration.parse("4h")),))
    for outcome in simulate([spec], scenario):
        for alert in outcome.alerts:
            if alert.tier is None:
                continue
            row = next(
                line for line in text.splitlines() if line.startswith(f"| {outcome.slo.name} | {alert.tier.name} |")
            )
            assert f"{texts.error_ratio(outcome.slo, alert.tier)} bad" in row
            detected = float(texts.detection_seconds(outcome.slo, alert.tier))
            assert texts.detection(outcome.slo, alert.tier) in row
            fires = alert.episodes[0].fires - alert.hold
            assert detected < fires + alert.step
            assert fires <= detected + 2 * alert.step


def test_promised_and_measured_threshold_are_both_said(tmp_path: Path) -> None:
    text = page(resolved(tmp_path), Context())
    assert "Promised is 300ms, measured at 500ms, the next bucket" in text
    floor = SPEC.replace("  objectives:", "  bucketPolicy: floor\n  objectives:")
    assert "Promised is 300ms, measured at 250ms, the bucket below" in page(resolved(tmp_path, floor), Context())
    exact = page(resolved(tmp_path, SPEC.replace("300ms", "500ms")), Context())
    assert "Promised is" not in exact


def test_degradation_begins_at_twice_the_promise_in_two_steps(tmp_path: Path) -> None:
    text = page(resolved(tmp_path), Context())
    assert "take over 2 times the promised 300ms" in text
    assert re.search(r"\[1m\]\)\)\) > 0\.6\n", text)
    ten, thirty = (text.index(f"1. **For {after}: ") for after in ("10s", "30s"))
    assert ten < thirty
    assert "429 with `Retry-After: 5`" in text
    only_errors = re.sub(r"    - \{sli: ttft.*\n", "", SPEC)
    assert "## Degradation" not in page(resolved(tmp_path, only_errors), Context())


def test_causes_are_those_that_the_engine_can_show(tmp_path: Path) -> None:
    vllm = page(resolved(tmp_path), Context())
    assert "Waiting requests grow" in vllm
    assert "This engine shows no queue" not in vllm
    assert "vllm:num_requests_waiting" in vllm
    gateway = SPEC.replace('{name: vllm, version: "0.11"}', "{name: istio}").replace(
        "{sli: ttft, threshold: 300ms, target: 97%}", "{sli: e2e, threshold: 5s, target: 97%}"
    )
    text = page(resolved(tmp_path, gateway), Context())
    assert "Whole answers take too long (odd-chat-e2e)" in text
    assert "vllm" not in text
    assert "The KV cache is full" not in text


def test_every_query_is_promql(specs: Path) -> None:
    checked = check_files([str(path) for path in sorted(specs.rglob("*.yaml"))], Environment(Config()))
    asked = 0
    for spec in checked.specs:
        for query in re.findall(r"^```promql\n(.*?)^```$", page(spec, Context()), re.M | re.S):
            promql_parser.parse(query)
            asked += 1
    assert asked > 200


def test_native_histograms_are_asked_by_their_base_name(tmp_path: Path) -> None:
    settings = {"prometheus": {"version": "3.5", "histograms": "custom-buckets"}}
    text = page(resolved(tmp_path, config=Config.model_validate(settings)), Context())
    assert (
        'histogram_quantile(0.97, sum(rate(vllm:time_to_first_token_seconds{job="odd",model_name="odd"}[5m])))' in text
    )
    assert "histogram_quantile(0.95, sum(rate(vllm:request_queue_time_seconds{" in text
    assert "_bucket" not in text


def test_queries_open_in_grafana_where_its_address_is_known(repository: Path) -> None:
    text = Path(ODD).read_text("utf-8")
    addresses = re.findall(r"\[Explore\]\(<(https://grafana\.example/[^>]+)>\)", text)
    queries = re.findall(r"^```promql\n(.*?)\n```$", text, re.M | re.S)
    assert len(addresses) > 5
    opened = {json.loads(parse_qs(urlsplit(item).query)["panes"][0])["slo"]["queries"][0]["expr"] for item in addresses}
    assert opened <= set(queries)


def test_an_address_of_explore_has_the_form_that_grafana_reads() -> None:
    address = urlsplit(explore_url("https://g.example/sub/", 'up{a="b&c #%"}', "prom-1"))
    assert (address.path, address.fragment) == ("/sub/explore", "")
    asked = parse_qs(address.query, strict_parsing=True)
    assert asked["schemaVersion"] == ["1"]
    (panes,) = asked["panes"]
    assert json.loads(panes) == {
        "slo": {
            "datasource": "prom-1",
            "queries": [
                {
                    "refId": "A",
                    "expr": 'up{a="b&c #%"}',
                    "range": True,
                    "instant": False,
                    "datasource": {"type": "prometheus", "uid": "prom-1"},
                }
            ],
            "range": {"from": "now-1h", "to": "now"},
        }
    }


def test_texts_cover_every_alert_breach_class_and_role() -> None:
    words = load_runbook_texts()
    assert set(words.alerts) == {value for name, value in vars(names).items() if name.startswith("ALERT_")}
    breaches = {sli.breach or OTHER for sli in load_slis().values()}
    assert set(words.breaches) == set(words.titles) == breaches
    signs = {role for causes in words.breaches.values() for cause in causes for role in cause.signs}
    assert signs <= {role.value for role in Role} | {"preemptions"}
    document, faults = read_model(
        RunbookTexts, load_bytes(builtin_path("runbooks.yaml").read_bytes(), "x").documents[0]
    )
    assert document == words, faults


def test_every_builtin_class_has_its_words() -> None:
    loaded = load_bytes(builtin_path("catalog", "classes.yaml").read_bytes(), "classes.yaml")
    catalog, _ = read_model(ExperienceCatalog, loaded.documents[0])
    assert isinstance(catalog, ExperienceCatalog)
    assert set(catalog.spec.experience_classes) == set(load_runbook_texts().classes)


def test_words_survive_a_compilation_of_a_changed_spec(repository: Path) -> None:
    written(ODD, "first-steps")
    assert compiled("--check").exit_code == 0, "the team's own words are no drift"
    before = Path("out/manifest.json").read_bytes()
    assert compiled().exit_code == 0
    assert Path("out/manifest.json").read_bytes() == before
    Path("specs/odd.yaml").write_text(SPEC.replace("97%", "96%"), "utf-8")
    assert compiled().exit_code == 0
    assert words_in(ODD, "first-steps") == WORDS
    assert "96% of requests" in Path(ODD).read_text("utf-8")


def test_an_edit_outside_of_the_sections_is_drift_and_is_replaced(repository: Path) -> None:
    written(ODD, "notes")
    generated = Path(ODD).read_text("utf-8")
    Path(ODD).write_text(generated.replace("## Escalation", "## Call me"), "utf-8")
    checked = compiled("--check")
    assert (checked.exit_code, checked.stdout) == (1, "replace runbooks/lab/odd-chat.md\n")
    assert compiled().exit_code == 0
    assert Path(ODD).read_text("utf-8") == generated


@pytest.mark.parametrize(
    ("change", "pinned"),
    [
        pytest.param(("{name: odd-chat,", "{name: even-chat,"), False, id="the same model at the same endpoint"),
        pytest.param(("service: lab", "service: office"), True, id="another service with pinned identities"),
    ],
)
def test_words_follow_a_spec_to_its_new_name(repository: Path, change: tuple[str, str], pinned: bool) -> None:
    pin = "{name: odd-chat, annotations: {slo-compiler/id: lab/odd}, "
    text = SPEC.replace("{name: odd-chat, ", pin) if pinned else SPEC
    Path("specs/odd.yaml").write_text(text, "utf-8")
    assert compiled().exit_code == 0
    written(ODD, "escalation")
    Path("specs/odd.yaml").write_text(text.replace(*change), "utf-8")
    assert compiled("--check").exit_code == 1
    assert words_in(ODD, "escalation") == WORDS, "a check changes nothing"
    assert compiled().exit_code == 0
    (path,) = Path("out/runbooks").rglob("*.md")
    assert path.as_posix() != ODD
    assert words_in(path.as_posix(), "escalation") == WORDS
    assert compiled("--check").exit_code == 0


def test_words_survive_a_new_template_that_keeps_their_section(repository: Path) -> None:
    written(ODD, "notes")
    use_template('# {{ title }}, our way\n\n{{ own("notes") }}\n\n{{ own("pager") }}\n')
    assert compiled().exit_code == 0
    text = Path(ODD).read_text("utf-8")
    assert "# Odd chat, our way" in text
    assert "## Escalation" not in text
    assert words_in(ODD, "notes") == WORDS
    assert list(sections(text)) == ["notes", "pager"]


def use_template(text: str) -> None:
    Path("own").mkdir(exist_ok=True)
    Path("own/runbook.md.j2").write_text(text, "utf-8")
    Path("slo-compiler.yaml").write_text(CONFIG + "outputs: {runbooks: {templates: own}}\n", "utf-8")


def test_words_without_a_section_in_the_new_template_stop_the_compilation(repository: Path) -> None:
    written(ODD, "notes")
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    use_template('# {{ title }}\n\n{{ own("pager") }}\n')
    Path("specs/odd.yaml").write_text(SPEC.replace("97%", "96%"), "utf-8")
    refused = compiled("-q")
    line = sections(Path(ODD).read_text("utf-8"))["notes"].line
    assert refused.exit_code == 1
    assert f"{ODD}:{line}:1: error[SLO604]: the section notes has words, and the template has no such" in refused.stderr
    assert 'write {{ own("notes") }} into the template' in refused.stderr
    assert {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()} == before


def test_an_empty_section_that_the_template_drops_stops_nothing(repository: Path) -> None:
    use_template('# {{ title }}\n\n{{ own("pager") }}\n')
    assert compiled().exit_code == 0
    assert list(sections(Path(ODD).read_text("utf-8"))) == ["pager"]


def test_words_of_a_spec_that_is_gone_stop_the_compilation(repository: Path) -> None:
    Path("specs/other.yaml").write_text(SPEC.replace("odd-chat", "other").replace("acme/odd", "acme/other"), "utf-8")
    assert compiled().exit_code == 0
    written(ODD, "notes")
    written("out/runbooks/lab/other.md", "notes", "mine\n")
    Path("specs/odd.yaml").unlink()
    refused = compiled("-q")
    assert refused.exit_code == 1
    assert refused.stderr.count("error[SLO604]") == 1
    assert Path(ODD).is_file()
    written(ODD, "notes", "")
    assert compiled().exit_code == 0
    assert not Path(ODD).exists()
    assert words_in("out/runbooks/lab/other.md", "notes") == "mine\n"


def test_two_specs_that_could_come_after_do_not_share_the_words(repository: Path) -> None:
    written(ODD, "notes")
    twins = "---\n".join(SPEC.replace("odd-chat", name) for name in ("left", "right"))
    Path("specs/odd.yaml").write_text(twins, "utf-8")
    refused = compiled("-q")
    assert refused.exit_code == 1
    assert "no spec is left that the page is about" in refused.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("own notes end", "own notes ende", "is no marker", id="a misspelt end"),
        pytest.param("<!-- slo-compiler:own notes end -->\n", "", "has no end", id="no end"),
        pytest.param("<!-- slo-compiler:own notes begin -->\n", "", "ends and did not begin", id="no begin"),
        pytest.param("own notes begin", "own causes begin", "has no end before|ends and did not", id="another's name"),
    ],
)
def test_damaged_markers_stop_the_compilation(repository: Path, old: str, new: str, said: str) -> None:
    written(ODD, "notes")
    text = Path(ODD).read_text("utf-8")
    Path(ODD).write_text(text.replace(old, new), "utf-8")
    refused = compiled("-q")
    assert refused.exit_code == 1
    assert "error[SLO604]" in refused.stderr
    assert re.search(said, refused.stderr)


def test_a_run_without_runbooks_leaves_them_alone(repository: Path) -> None:
    written(ODD, "notes")
    before = Path(ODD).read_bytes()
    Path("specs/odd.yaml").write_text(SPEC.replace("odd-chat", "even-chat").replace("/v1/chat", "/v2"), "utf-8")
    done = CliRunner().invoke(cli, ["compile", "specs", "-o", "out", "--only", "rules"])
    assert done.exit_code == 0
    assert Path(ODD).read_bytes() == before


@pytest.mark.parametrize(
    ("template", "line", "said"),
    [
        pytest.param("# {{ title }}\n{% if %}\n", 2, "Expected an expression", id="broken syntax"),
        pytest.param("\n\n{{ titel }}\n", 3, "'titel' is undefined", id="an unknown name"),
        pytest.param("{{ slos[0].tier }}\n", 1, "has no attribute 'tier'", id="an unknown attribute"),
        pytest.param("{{ title.__class__ }}\n", 1, "unsafe|no attribute", id="a way out of the sandbox"),
        pytest.param("a\n{{ 'a' * 10000000 }}\n", 2, "makes too much", id="a text without end"),
        pytest.param("{{ 9 ** 9 }}\n", 1, "makes too much", id="a power"),
        pytest.param("\n{{ 1 / 0 }}\n", 2, "division by zero", id="a division by zero"),
        pytest.param("{% include 'gone.j2' %}\n", 1, "no template gone.j2", id="an unknown template"),
        pytest.param("{{ own('No Name') }}\n", 1, "no name of a section", id="a section without a name"),
        pytest.param("{{ own('a') }}\n\n{{ own('a') }}\n", 1, "second time", id="a section twice"),
        pytest.param("{{ range(9999999) | list }}\n", 1, "Range too big", id="a list without end"),
    ],
)
def test_a_broken_template_is_one_diagnostic(repository: Path, template: str, line: int, said: str) -> None:
    use_template(template)
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    refused = compiled("-q")
    assert refused.exit_code == 1
    assert refused.stderr.count("error[") == 1
    assert f"own/runbook.md.j2:{line}:1: error[SLO605]: " in refused.stderr
    assert re.search(said, refused.stderr)
    assert "Traceback" not in refused.output
    assert {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("folder", ["gone", "empty"])
def test_a_folder_without_templates_is_a_diagnostic(repository: Path, folder: str) -> None:
    Path("empty").mkdir()
    Path("slo-compiler.yaml").write_text(f"outputs: {{runbooks: {{templates: {folder}}}}}\n", "utf-8")
    refused = compiled("-q")
    assert refused.exit_code == 1
    assert f"{folder}:1:1: error[SLO605]: " in refused.stderr


def test_a_changed_template_makes_the_output_stale(repository: Path) -> None:
    use_template("# {{ title }} one\n")
    assert compiled().exit_code == 0
    use_template("# {{ title }} two\n")
    assert compiled("--check").exit_code == 1


HOSTILE = st.text(
    st.one_of(st.sampled_from("`|[]()<>{}#*_~\\\"'\n\r!-$&"), st.characters(exclude_categories=["Cs"])), max_size=60
) | st.sampled_from(
    [
        "<!-- slo-compiler:own notes begin -->",
        "x\n<!-- slo-compiler:own notes end -->\n",
        "```\n# out",
        "--><script>alert(1)</script>",
        "[a](javascript:alert(1))",
        "{{ 7 * 7 }}{% raw %}",
    ]
)


@given(HOSTILE)
def test_hostile_text_stays_text_and_makes_no_section(text: str) -> None:
    template = '{{ text }}\n\n| {{ text }} | {{ text | code }} |\n\n{{ text | fence("x") }}\n\n{{ text | link("a") }}\n'
    made = render("t.j2", UserTemplates("own", (("t.j2", template),)), {"text": text})
    assert sections(made) == {}
    plain = made.split("\n")[0]
    unescaped = re.sub(r"\\.", "", plain)
    assert not set(unescaped) & set("`*[]<>|#~")
    row = made.split("\n")[2]
    assert len(re.findall(r"(?<!\\)\|", row)) == 3
    fence = re.search(r"^(`{3,})x\n(.*?)\n\1$", made, re.M | re.S)
    assert fence is not None
    assert not re.search(rf"^{fence[1]}", fence[2], re.M)


@given(HOSTILE, HOSTILE)
def test_what_a_runbook_says_of_its_spec_is_read_back(path: str, slo: str) -> None:
    item = About(path, "lab", slo, path, (slo, path))
    text = f"first line\n{comment(item)}\nmore"
    assert text.count("-->") == 1
    assert read_comment(text) == item


@given(st.lists(st.sampled_from(["a", "b-2", "c"]), unique=True), HOSTILE)
def test_words_are_put_back_to_the_byte(named: list[str], text: str) -> None:
    words = "".join(f" {line}\n" for line in re.sub(r"[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", "", text).split("\n"))
    empty = "head\n" + "".join(
        f"<!-- slo-compiler:own {name} begin -->\n<!-- slo-compiler:own {name} end -->\n" for name in named
    )
    try:
        sections(empty.replace("begin -->\n", f"begin -->\n{words}"))
    except Damaged:
        return
    full = filled(empty, dict.fromkeys(named, words))
    assert {name: section.words for name, section in sections(full).items()} == dict.fromkeys(named, words)
    assert emptied(full.encode()) == empty.encode()


def test_a_template_of_ones_own_extends_the_shipped_one(tmp_path: Path) -> None:
    text = '{% extends "builtin/runbook.md.j2" %}\n{% block unseen %}Nothing is hidden.{% endblock %}\n'
    context = Context(runbooks=RunbookPages(UserTemplates("own", (("runbook.md.j2", text),))))
    made = page(resolved(tmp_path), context)
    assert "Nothing is hidden." in made
    assert "What these numbers cannot see" not in made
    assert "## Escalation" in made


def test_a_fault_of_a_shipped_template_is_not_blamed_on_the_user(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="undefined") as raised:
        render("runbook.md.j2", UserTemplates("own", (("other.j2", ""),)), {})
    assert not isinstance(raised.value, TemplateFault)


def test_what_a_runbook_is_about_names_every_slo(tmp_path: Path) -> None:
    spec = resolved(tmp_path)
    assert about(spec).slos == ("lab/odd-chat-ttft", "lab/odd-chat-availability")
    assert any("alert" in rule for group in rules.groups(spec) for rule in group["rules"])
