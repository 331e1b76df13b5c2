"""Old documents become new ones: the cases of tests/migrations/, each before, after and with what is said about it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import yaml

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.diagnostics.report import Report
from slo_compiler.diagnostics.report_text import render_text
from slo_compiler.documents.config import Config
from slo_compiler.documents.read import OLD_VERSIONS
from slo_compiler.load.yaml import load_bytes
from slo_compiler.migrate import MIGRATIONS
from slo_compiler.migrate.files import Migrated, migrate_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.resolve.environment import Environment

CASES = Path(__file__).parent / "migrations"
BEFORE = sorted(CASES.glob("*.before.*"))
_COMMENT = re.compile(r"(?:^|\s)(#.*)$", re.MULTILINE)

SLOTH = """\
version: prometheus/v1
service: gateway
slos:
  - name: availability
    objective: 99.7
    sli:
      events:
        error_query: sum(rate(gw_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(gw_requests_total[{{.window}}]))
    alerting: {name: GatewayDown}
"""
V1ALPHA = """\
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: answers}
spec:
  service: retrieval
  budgetingMethod: Occurrences
  timeWindows: [{unit: Day, count: 35, isRolling: true}]
  objectives:
    - target: 0.985
      ratioMetrics:
        incremental: true
        good: {source: prometheus, queryType: promql, query: good_total}
        total: {source: prometheus, queryType: promql, query: all_total}
"""
WINDOWS = """\
apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: 30d
  page:
    quick: {errorBudgetPercent: 2, shortWindow: 5m, longWindow: 1h}
    slow: {errorBudgetPercent: 5, shortWindow: 30m, longWindow: 6h}
  ticket:
    quick: {errorBudgetPercent: 10, shortWindow: 2h, longWindow: 1d}
    slow: {errorBudgetPercent: 10, shortWindow: 6h, longWindow: 3d}
"""
TEXTS = {"sloth": SLOTH, "v1alpha": V1ALPHA, "windows": WINDOWS}


def name_of(path: Path) -> str:
    return path.name.partition(".")[0]


def migrate(text: str, path: str = "spec.yaml") -> Migrated:
    return migrate_bytes(text.encode(), path)


def judge(text: bytes, path: str = "spec.yaml") -> list[tuple[Code, str]]:
    """What `validate` says of a result, but for information."""
    found = check_loaded([load_bytes(text, path)], Environment(Config()), compiling=False).diagnostics
    return [(item.code, item.message) for item in found if item.severity is not Severity.INFO]


def compare(path: Path, content: bytes) -> None:
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_bytes(content)
    assert path.read_bytes() == content, "UPDATE_GOLDEN=1 pytest tests/test_migrate.py rewrites it; read the diff"


@pytest.mark.parametrize("before", BEFORE, ids=name_of)
def test_case_becomes_what_is_written_beside_it(before: Path) -> None:
    done = migrate_bytes(before.read_bytes(), before.name)
    said = render_text(Report(done.diagnostics, {done.path: done.lines}, files=1))
    compare(CASES / f"{name_of(before)}.after{before.suffix}", done.after)
    compare(CASES / f"{name_of(before)}.notices.txt", f"{said}\n".encode())


def test_every_kind_that_is_migrated_has_a_case() -> None:
    found = set()
    for path in BEFORE:
        for document in load_bytes(path.read_bytes(), path.name).documents:
            found.add((str(document.data.get("apiVersion", document.data.get("version"))), document.kind))
    assert set(MIGRATIONS) <= found


def test_validate_points_at_the_command_for_every_version_that_is_migrated() -> None:
    assert {version for version, _ in MIGRATIONS} == OLD_VERSIONS
    for text in TEXTS.values():
        told = check_loaded([load_bytes(text.encode(), "a.yaml")], Environment(Config())).diagnostics
        # OpenSLO's own older version is read as it stands, with a notice; the rest only says what to do.
        code = Code.SLO207 if "openslo/v1alpha" in text else Code.SLO203
        assert [d.code for d in told if d.hint == "slo-compiler migrate a.yaml"] == [code]
        assert code is Code.SLO207 or len(told) == 1


@pytest.mark.parametrize("before", BEFORE, ids=name_of)
def test_result_is_valid_and_stays_as_it_is(before: Path) -> None:
    after = migrate_bytes(before.read_bytes(), before.name).after
    assert after != before.read_bytes()
    assert {code for code, _ in judge(after, before.name)} <= {Code.SLO206}
    again = migrate_bytes(after, before.name)
    assert (again.after, again.diagnostics) == (after, [])


def test_json_becomes_json() -> None:
    documents = json.loads((CASES / "sloth-json.after.json").read_text("utf-8"))
    assert [document["metadata"]["name"] for document in documents] == ["kept", "errors", "slow"]
    one = json.loads(json.dumps(yaml.safe_load(SLOTH)))
    assert json.loads(migrate(json.dumps(one), "spec.json").after)["spec"]["objectives"] == [{"targetPercent": 99.7}]
    one["slos"].append({**one["slos"][0], "name": "other"})
    assert len(json.loads(migrate(json.dumps(one), "spec.json").after)) == 2


@pytest.mark.parametrize("before", [path for path in BEFORE if path.suffix == ".yaml"], ids=name_of)
def test_no_comment_is_lost_or_said_twice(before: Path) -> None:
    after = migrate_bytes(before.read_bytes(), before.name).after.decode()
    for comment in _COMMENT.findall(before.read_text("utf-8")):
        assert len(re.findall(rf"{re.escape(comment)}$", after, re.MULTILINE)) == 1, comment


# Where the text is changed: what stands there, what is put in its place, and what is said: place and message.
NOTICES = {
    "a service that is no DNS label": (
        "sloth",
        "service: gateway",
        "service: My Gateway",
        "2:10",
        "service: 'My Gateway' is no DNS label, and becomes my-gateway",
    ),
    "a label that the compiler writes": (
        "sloth",
        "slos:",
        "labels: {endpoint: /v1}\nslos:",
        "3:10",
        "labels.endpoint: the label endpoint is written by the compiler; carried as sloth_endpoint",
    ),
    "a label that begins with a digit": (
        "sloth",
        "slos:",
        "labels: {7team: a}\nslos:",
        "3:10",
        "labels.7team is not carried over: '7team' cannot be a label of an alert: it begins with a digit",
    ),
    "a label of Prometheus's own": (
        "sloth",
        "slos:",
        "labels: {__tenant: a}\nslos:",
        "3:10",
        "labels.__tenant is not carried over: '__tenant' is no label key",
    ),
    "a misspelt field": (
        "sloth",
        "    objective:",
        "    descripton: x\n    objective:",
        "5:5",
        "slos[0].descripton is not carried over: no such field is known",
    ),
    "a plugin of the chain": (
        "sloth",
        "slos:",
        "slo_plugins: {chain: [{id: a}]}\nslos:",
        "3:1",
        "slo_plugins is not carried over: plugins of Sloth do not run here",
    ),
    "an annotation that alerts have no place for": (
        "sloth",
        "alerting: {",
        "alerting: {annotations: {dashboard: d}, ",
        "10:30",
        "slos[0].alerting.annotations.dashboard is not carried over: the compiler writes the annotations of its alerts",
    ),
    "a runbook that is no address": (
        "sloth",
        "alerting: {",
        "alerting: {annotations: {runbook: wiki/x}, ",
        "10:30",
        "slos[0].alerting.annotations.runbook is not carried over: 'wiki/x' is no http(s) address",
    ),
    "a page that is switched off": (
        "sloth",
        "alerting: {",
        "alerting: {page_alert: {disable: yes}, ",
        "10:29",
        "slos[0].alerting.page_alert.disable is not carried over: an OpenSLO document has no switch for page alerts",
    ),
    "a description that is too long": (
        "sloth",
        "    objective:",
        f"    description: {'x' * 1051}\n    objective:",
        "5:18",
        "slos[0].description is not carried over: 1051 characters, 1050 are allowed",
    ),
    "queries of which it cannot be told what they yield": (
        "sloth",
        'rate(gw_requests_total{code=~"5.."}[{{.window}}])',
        "sum_over_time(bad[{{.window}}])",
        "8:22",
        "it cannot be told whether the queries yield events or events per second; read as rate",
    ),
    "a window that does not say whether it is rolling": (
        "v1alpha",
        ", isRolling: true",
        "",
        "7:17",
        "spec.timeWindows[0].isRolling: true is added: without a calendar the window is read as rolling",
    ),
    "no window": (
        "v1alpha",
        "  timeWindows: [{unit: Day, count: 35, isRolling: true}]\n",
        "",
        "5:3",
        "spec.timeWindows is missing; 30 rolling days are added, as Sloth reads it",
    ),
    "a rolling month": (
        "v1alpha",
        "unit: Day, count: 35",
        "unit: Month, count: 2",
        "7:24",
        "spec.timeWindows[0]: a rolling month has no fixed length; written as 60d",
    ),
    "no budgeting method": (
        "v1alpha",
        "  budgetingMethod: Occurrences\n",
        "",
        "5:3",
        "spec.budgetingMethod is missing; Occurrences is added: good events over all events",
    ),
    "a value beside a ratio": (
        "v1alpha",
        "- target: 0.985",
        "- target: 0.985\n      value: 3",
        "10:7",
        "spec.objectives[0].value is not carried over: a ratio is compared with nothing but its target",
    ),
    "a slice target without slices": (
        "v1alpha",
        "- target: 0.985",
        "- target: 0.985\n      timeSliceTarget: 0.9",
        "10:7",
        "spec.objectives[0].timeSliceTarget is not carried over: it has no meaning for Occurrences",
    ),
    "a display name that is too long": (
        "v1alpha",
        "{name: answers}",
        f"{{name: answers, displayName: {'y' * 64}}}",
        "3:40",
        "metadata.displayName is not carried over: 64 characters, 63 are allowed",
    ),
}


@pytest.mark.parametrize("case", NOTICES)
def test_what_differs_is_said_once_at_its_place(case: str) -> None:
    base, old, new, place, message = NOTICES[case]
    assert TEXTS[base].count(old) == 1
    done = migrate(TEXTS[base].replace(old, new))
    found = {
        f"{item.span.line}:{item.span.column}": item for item in done.diagnostics if item.message.startswith(message)
    }
    assert list(found) == [place], [item.message for item in done.diagnostics]
    assert (found[place].code, found[place].severity) == (Code.SLO207, Severity.WARNING)
    assert found[place].hint
    assert done.changed
    assert judge(done.after) == []


ERRORS = {
    "no service": ("sloth", "service: gateway\n", "", Code.SLO202, "service is missing"),
    "a service of which nothing is left": (
        "sloth",
        "service: gateway",
        "service: '!!!'",
        Code.SLO601,
        "service: '!!!' holds nothing",
    ),
    "no SLO": ("sloth", SLOTH[SLOTH.index("slos:") :], "slos: []\n", Code.SLO202, "slos holds no SLO"),
    "slos that are no list": (
        "sloth",
        SLOTH[SLOTH.index("slos:") :],
        "slos: 3\n",
        Code.SLO203,
        "slos: expected a list",
    ),
    "an SLO that is no mapping": (
        "sloth",
        SLOTH[SLOTH.index("  - name") :],
        "  - 3\n",
        Code.SLO203,
        "slos[0]: expected a mapping",
    ),
    "an objective of 100": ("sloth", "99.7", "100", Code.SLO203, "slos[0].objective: 100 leaves no error budget"),
    "an objective of 0": ("sloth", "99.7", "0", Code.SLO203, "slos[0].objective: 0 promises nothing"),
    "an objective in words": (
        "sloth",
        "99.7",
        "three nines",
        Code.SLO203,
        "slos[0].objective: 'three nines' is no number",
    ),
    "an objective that is not finite": ("sloth", "99.7", ".inf", Code.SLO203, "slos[0].objective: '.inf' is no number"),
    "a plugin": (
        "sloth",
        "events:",
        "plugin: {id: acme/x}\n      events:",
        Code.SLO203,
        "slos[0].sli needs one of events, raw and plugin",
    ),
    "only a plugin": (
        "sloth",
        SLOTH[SLOTH.index("      events") : SLOTH.index("    alerting")],
        "      plugin: {id: acme/x}\n",
        Code.SLO206,
        "slos[0].sli.plugin: a plugin's query is not in the file",
    ),
    "a query without a window": (
        "sloth",
        "(gw_requests_total[{{.window}}]))",
        "(gw_requests_total[5m]))",
        Code.SLO203,
        "slos[0].sli.events.total_query has no [{{.window}}]",
    ),
    "a query that is no PromQL": (
        "sloth",
        "sum(rate(gw_requests_total[",
        "sum(rate(gw_requests_total)[",
        Code.SLO203,
        "no PromQL",
    ),
    "the same query twice": (
        "sloth",
        '{code=~"5.."}',
        "",
        Code.SLO203,
        "slos[0].sli.events.error_query is the same as total_query",
    ),
    "two windows": (
        "v1alpha",
        "{unit: Day, count: 35, isRolling: true}",
        "{unit: Day, count: 7, isRolling: true}, {unit: Day, count: 35, isRolling: true}",
        Code.SLO203,
        "spec.timeWindows holds 2 windows",
    ),
    "a unit that is none": (
        "v1alpha",
        "unit: Day",
        "unit: Fortnight",
        Code.SLO203,
        "spec.timeWindows[0].unit: 'Fortnight' is no unit",
    ),
    "a count that is none": (
        "v1alpha",
        "count: 35",
        "count: 3.5",
        Code.SLO203,
        "spec.timeWindows[0].count: '3.5' is no count of units",
    ),
    "seconds that are no minutes": (
        "v1alpha",
        "unit: Day, count: 35",
        "unit: Second, count: 90",
        Code.SLO203,
        "spec.timeWindows[0]: 90 seconds",
    ),
    "a window that does not roll": (
        "v1alpha",
        "isRolling: true",
        "isRolling: false",
        Code.SLO202,
        "spec.timeWindows[0].calendar is missing",
    ),
    "a rolling calendar": (
        "v1alpha",
        "isRolling: true",
        "isRolling: true, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}",
        Code.SLO203,
        "spec.timeWindows[0].calendar beside isRolling: true",
    ),
    "a target of 1": (
        "v1alpha",
        "0.985",
        "1",
        Code.SLO203,
        "spec.objectives[0].target: '1' is no share at least 0 and under 1",
    ),
    "nothing to measure": (
        "v1alpha",
        V1ALPHA[V1ALPHA.index("      ratio") :],
        "",
        Code.SLO202,
        "spec.objectives[0] has nothing to measure",
    ),
    "good without total": (
        "v1alpha",
        "        total: {",
        "        totl: {",
        Code.SLO202,
        "spec.objectives[0].ratioMetrics needs total",
    ),
    "a ratio beside an indicator": (
        "v1alpha",
        "  objectives:",
        "  indicator: {thresholdMetric: {source: prometheus, queryType: promql, query: x}}\n  objectives:",
        Code.SLO203,
        "spec.objectives[0].ratioMetrics beside spec.indicator",
    ),
    "a budgeting method that is none": (
        "v1alpha",
        "Occurrences",
        "Hourly",
        Code.SLO203,
        "spec.budgetingMethod: 'Hourly' is none",
    ),
    "a flag that is none": (
        "v1alpha",
        "incremental: true",
        "incremental: 2",
        Code.SLO203,
        "spec.objectives[0].ratioMetrics.incremental",
    ),
    "a kind that v1alpha lacks": (
        "v1alpha",
        "kind: SLO",
        "kind: DataSource",
        Code.SLO203,
        "kind DataSource of openslo/v1alpha cannot be migrated",
    ),
    "no kind": ("v1alpha", "kind: SLO\n", "", Code.SLO203, "kind of openslo/v1alpha is missing"),
    "a window without its budget": (
        "windows",
        "errorBudgetPercent: 5, ",
        "",
        Code.SLO202,
        "spec.page.slow.errorBudgetPercent is missing",
    ),
    "a budget over 100%": (
        "windows",
        "errorBudgetPercent: 5,",
        "errorBudgetPercent: 500,",
        Code.SLO203,
        "spec.page.slow.errorBudgetPercent: '500'",
    ),
    "a window between two steps": (
        "windows",
        "longWindow: 6h",
        "longWindow: 6h1m",
        Code.SLO203,
        "spec.page.slow.longWindow: 6h1m is no multiple",
    ),
    "windows in the wrong order": (
        "windows",
        "shortWindow: 30m",
        "shortWindow: 12h",
        Code.SLO203,
        "spec.page.slow.shortWindow: 12h is no shorter",
    ),
    "a period that is none": (
        "windows",
        "sloPeriod: 30d",
        "sloPeriod: a month",
        Code.SLO203,
        "spec.sloPeriod: 'a month' is no duration",
    ),
    "no level": ("windows", WINDOWS[WINDOWS.index("  ticket") :], "", Code.SLO202, "spec.ticket is missing"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_cannot_become_anything_is_an_error_and_leaves_the_file_alone(case: str) -> None:
    base, old, new, code, message = ERRORS[case]
    assert old in TEXTS[base]
    done = migrate(TEXTS[base].replace(old, new, 1))
    errors = [item for item in done.diagnostics if item.severity is Severity.ERROR]
    assert [item.code for item in errors] == [code], [item.message for item in errors]
    assert errors[0].message.startswith(message)
    assert errors[0].hint
    assert done.failed
    assert not done.changed


def test_all_faults_are_found_in_one_run() -> None:
    text = (
        SLOTH.replace("99.7", "0").replace("service: gateway", "service: '?'") + "---\n" + V1ALPHA.replace("Day", "Dya")
    )
    errors = [item for item in migrate(text).diagnostics if item.severity is Severity.ERROR]
    assert [(item.span.line, item.code) for item in errors] == [(2, Code.SLO601), (5, Code.SLO203), (18, Code.SLO203)]


NOTHING_OLD = {
    "nothing": "",
    "a comment": "# nothing yet\n",
    "another kind of YAML": "image: {tag: 1.2}\nreplicas:   3\n",
    "a document of ours": "apiVersion: slo-compiler/v1\nkind:  InferenceSLO\n",
    "a list of other things": "- 1\n-   two\n",
    "no newline at its end": "a:  1",
}


@pytest.mark.parametrize("case", NOTHING_OLD)
def test_file_without_old_documents_keeps_its_bytes(case: str) -> None:
    done = migrate(NOTHING_OLD[case])
    assert (done.after, done.diagnostics) == (NOTHING_OLD[case].encode(), [])


def test_byte_order_mark_and_line_ends_are_kept() -> None:
    crlf = SLOTH.replace("slos:", "# The promises.\nslos:").replace("\n", "\r\n")
    after = migrate_bytes(b"\xef\xbb\xbf" + crlf.encode(), "spec.yaml").after
    assert after.startswith(b"\xef\xbb\xbf# The promises.\r\n")
    assert after.count(b"\r\n") == after.count(b"\n")
    assert b"# The promises.\r\n" in after
    assert migrate(SLOTH.replace("slos:", "# The promises.\nslos:")).after == after[3:].replace(b"\r\n", b"\n")


def test_only_the_old_one_of_several_documents_changes() -> None:
    ours = "# first\napiVersion:  openslo/v1\nkind: Service\nmetadata: {name:   a}\n"
    text = f"{ours}--- # second\n{SLOTH}# end of the second\n---\n{ours}...\n"
    after = migrate(text).after.decode()
    assert after.startswith(f"{ours}--- # second\napiVersion: openslo/v1\n")
    assert after.endswith(f"# end of the second\n---\n{ours}...\n")


def test_document_in_flow_style_on_the_line_of_its_marker() -> None:
    text = "--- {apiVersion: openslo/v1alpha, kind: Service, metadata: {name: a}}  # short\n"
    assert migrate(text).after.decode() == (
        "--- \n# short\napiVersion: openslo/v1\nkind: Service\nmetadata:\n  name: a\nspec: {}\n"
    )


def test_names_that_become_the_same_are_told_apart() -> None:
    item = SLOTH[SLOTH.index("  - name") :]
    done = migrate(SLOTH + item.replace("availability", "Availability") + item.replace("availability", "availability-"))
    names = re.findall(r"^  name: (.*)$", done.after.decode(), re.MULTILINE)
    assert names == ["availability", "availability-2", "availability-3"]
    assert "slos[2].name: availability is taken by another SLO of gateway in this file, and becomes availability-3" in {
        diagnostic.message for diagnostic in done.diagnostics
    }
    assert judge(done.after) == []


def test_objectives_without_names_are_numbered_as_sloth_does() -> None:
    item = V1ALPHA[V1ALPHA.index("    - target") :]
    done = migrate(V1ALPHA + item.replace("good_total", "better_total"))
    assert re.findall(r"^  name: (.*)$", done.after.decode(), re.MULTILINE) == ["answers-0", "answers-1"]
    assert [diagnostic.message for diagnostic in done.diagnostics] == [
        "2 objectives become an SLO each: in openslo/v1 an SLO has one indicator"
    ]


@pytest.mark.parametrize(
    ("unit", "count", "rolling", "duration"),
    [
        ("Second", 1_814_400, True, "21d"),
        ("Second", 7200, True, "2h"),
        ("Second", 540, True, "9m"),
        ("Minute", 11, True, "11m"),
        ("Hour", 72, True, "72h"),
        ("day", 29, True, "29d"),
        ("Days", 31, True, "31d"),
        ("Week", 3, True, "3w"),
        ("Quarter", 1, True, "90d"),
        ("Year", 1, True, "365d"),
        ("Quarter", 3, False, "3Q"),
        ("Year", 2, False, "2Y"),
    ],
)
def test_window_is_written_in_the_short_form(unit: str, count: int, rolling: bool, duration: str) -> None:
    window = f"unit: {unit}, count: {count}, isRolling: {'true' if rolling else 'false'}"
    if not rolling:
        window += ", calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}"
    after = migrate(V1ALPHA.replace("unit: Day, count: 35, isRolling: true", window)).after.decode()
    assert f"- duration: {duration}\n" in after
    assert f"isRolling: {str(rolling).lower()}\n" in after
    assert ("startTime: '2026-01-01 00:00:00'" in after) is not rolling


def test_factor_of_a_window_spends_its_share_of_the_budget() -> None:
    """2% of 30 days in an hour are 14.4 times the budget: the workbook's own numbers."""
    factors = re.findall(r"factor: (.*)\n +share: (.*)\n", migrate(WINDOWS).after.decode())
    assert factors == [("14.4", "2%"), ("6", "5%"), ("3", "10%"), ("1", "10%")]


def test_severities_and_labels_of_both_alerts_have_their_places() -> None:
    alerts = """\
    alerting:
      labels: {category: edge}
      page_alert: {labels: {severity: sev1, chat: "#llm"}}
      ticket_alert: {labels: {severity: sev3, chat: "#llm"}}
"""
    done = migrate(SLOTH.replace("    alerting: {name: GatewayDown}\n", alerts))
    assert '  labels:\n    category: edge\n    chat: "#llm"\n' in done.after.decode()
    assert [diagnostic.hint for diagnostic in done.diagnostics] == [
        "severities: {page: sev1} in slo-compiler.yaml",
        "severities: {ticket: sev3} in slo-compiler.yaml",
    ]
