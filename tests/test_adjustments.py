"""Budget adjustments: what leaves the period, for how long, what is refused, and what outputs say of it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from slo_compiler import explain
from slo_compiler.documents.config import Config
from slo_compiler.emit import openslo, promtool_tests, rules
from slo_compiler.emit.base import Context
from slo_compiler.external import promtool
from slo_compiler.ir import Spec
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import Checked, check_loaded
from slo_compiler.resolve.environment import Environment
from tests.promtool_case import DAY, HOUR, Case, compile_text
from tests.thorough import cases

HEAD = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: demo
  model: m
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm}
  stage: dev
  alerting: {mode: ticket}
"""
WEEK = "  timeWindow: [{duration: 7d, isRolling: true}]\n"
TTFT = "{sli: ttft, threshold: 250ms, target: 95%}"
GATEWAY = (
    '{sli: availability, target: 99.9%, source: {bad: \'gw_total{app="x",code=~"5.."}\', total: \'gw_total{app="x"}\'}}'
)
ID = '{slo_id="demo/chat-ttft"}'
CABLE = '{from: "2027-03-01T10:00:00Z", to: "2027-03-01T12:30:07Z", reason: a cable was cut}'
REGION = '{from: "2027-03-03T22:15:00+01:00", to: "2027-03-04T02:00:00Z", reason: "the {{region}} was lost"}'


def spec(*adjustments: str, objectives: tuple[str, ...] = (TTFT,), more: str = WEEK) -> str:
    lines = [f"    - {item}\n" for item in objectives]
    lines += ["  budgetAdjustments:\n", *(f"    - {item}\n" for item in adjustments)] if adjustments else []
    return HEAD + more + "  objectives:\n" + "".join(lines)


def checked(text: str, today: datetime.date | None = None) -> Checked:
    return check_loaded(iter([load_bytes(text.encode(), "chat.yaml")]), Environment(Config()), today)


def resolved(text: str) -> Spec:
    found = checked(text)
    assert not found.failed, found.diagnostics
    return found.specs[0]


def rules_of(found: Spec) -> str:
    (artifact,) = rules.emit(found, Context())
    return artifact.text


def written(found: Spec, folder: Path) -> tuple[Path, list[Path]]:
    """The rule file of a spec and its test files."""
    paths = []
    for artifact in (*rules.emit(found, Context()), *promtool_tests.emit(found, Context())):
        path = folder / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifact.text, encoding="utf-8")
        paths.append(path)
    return paths[0], paths[1:]


# The rules against a drawn history. promtool's clock begins in 1970, and so do these incidents.

INCIDENT = '{from: "1970-01-02T06:00:00Z", to: "1970-01-02T08:00:00Z", reason: a cable was cut}'
LATER = '{from: "1970-01-04T06:07:00Z", to: "1970-01-04T06:07:01Z", reason: a second}'
SOON = '{from: "1970-01-02T08:03:00Z", to: "1970-01-02T09:00:00Z", reason: the cable again}'
STEP, REACH = 240, 255  # a slow tile looks back a step and a scrape
PHASE = 60  # of the tiles, on no edge of the period at any evaluation
Left = tuple[tuple[int, int], ...]
FIRST = (DAY + 6 * HOUR, DAY + 8 * HOUR + REACH)
HISTORIES: dict[str, tuple[tuple[str, ...], Left]] = {
    "one incident": ((INCIDENT,), (FIRST,)),
    "one long after another": (
        (LATER, INCIDENT),
        (FIRST, (3 * DAY + 6 * HOUR + 420, 3 * DAY + 6 * HOUR + 421 + REACH)),
    ),
    "one just after another": ((INCIDENT, SOON), (FIRST, (FIRST[1], DAY + 9 * HOUR + REACH))),
}


def tile_times(now: int) -> list[int]:
    """The tiles of the period of 7d, which is read half a step short."""
    return [time for time in range(PHASE, now + 1, STEP) if now - (7 * DAY - 120) < time]


def events(time: int) -> int:
    return 100 + time // STEP % 7


def bad(time: int, left: Left) -> int:
    return events(time) if is_left_out(time, left) else time // STEP % 3


def is_left_out(time: int, left: Left) -> bool:
    return any(begin < time <= end for begin, end in left)


@pytest.mark.promtool
@pytest.mark.parametrize("history", HISTORIES)
def test_no_event_of_an_incident_counts_at_any_moment_and_every_other_one_does(history: str, tmp_path: Path) -> None:
    adjustments, left = HISTORIES[history]
    compiled = compile_text(tmp_path, spec(*adjustments))
    case = Case(compiled, 11 * DAY, step=HOUR, slot=PHASE)
    tile = Callable[[int], float]

    def course(value: tile) -> Callable[[float], float | None]:
        return lambda time: None if (time - PHASE) % STEP else float(value(int(time)))

    case.recorded(f"slo:target:ratio{ID}", course(lambda _: 0.95))
    case.recorded(f"slo:events:slow{ID}", course(events))
    case.recorded(f"slo:bad_events:slow{ID}", course(lambda time: bad(time, left)))
    moments = set(range(6 * HOUR, 11 * DAY, 17 * HOUR))  # all of the course, and every hour around each edge
    for begin, end in left:
        for edge in (begin, end, begin + 7 * DAY, end + 7 * DAY):
            moments |= {(edge // HOUR + around) * HOUR for around in (-1, 0, 1, 2)}
    for now in sorted(moments):
        seen = tile_times(now)
        kept = [time for time in seen if not is_left_out(time, left)]
        in_all, good_or_bad = sum(map(events, kept)), sum(bad(time, left) for time in kept)
        case.between(now, f"slo:period_seen_events:sum{ID}", sum(map(events, seen)), sum(map(events, seen)))
        case.between(now, f"slo:period_events:sum{ID}", in_all, in_all)
        case.between(now, f"slo:period_bad_events:sum{ID}", good_or_bad, good_or_bad)
        case.about(now, f"slo:period_attainment:ratio{ID}", 1 - good_or_bad / in_all, within=1e-9)
        # Targets are given with the tiles, and written by the rules every hour.
        evaluated = [*seen, *range(max(0, (now - 7 * DAY) // HOUR + 1) * HOUR, now + 1, HOUR)]
        left_out = sum(is_left_out(time, left) for time in evaluated)
        covered = (len(evaluated) - left_out) / (2520 - left_out)
        case.about(now, f"slo:period_coverage:ratio{ID}", covered, within=1e-9)
    case.never_nan(11 * DAY)
    case.prove()


@pytest.mark.promtool
def test_a_service_that_was_born_into_an_incident_has_sums_of_nothing(tmp_path: Path) -> None:
    compiled = compile_text(tmp_path, spec('{from: "1970-01-01T00:00:00Z", to: "1970-01-02T00:00:00Z", reason: x}'))
    case = Case(compiled, 2 * DAY, step=12 * HOUR, slot=PHASE)

    def failing(time: float) -> float | None:
        return None if (time - PHASE) % STEP or time > DAY else 100.0

    case.recorded(f"slo:events:slow{ID}", failing)
    case.recorded(f"slo:bad_events:slow{ID}", failing)
    for name in ("events", "bad_events"):
        case.between(12 * HOUR, f"slo:period_{name}:sum{ID}", 0, 0)
        case.between(2 * DAY, f"slo:period_{name}:sum{ID}", 0, 0)
    case.nothing(12 * HOUR, f"slo:period_attainment:ratio{ID}")
    case.silent(2 * DAY, "SLOBudgetExhausted")
    case.never_nan(2 * DAY)
    case.prove()


@pytest.mark.promtool
def test_windows_of_alerts_go_on_reading_the_incident_and_the_budget_does_not(tmp_path: Path) -> None:
    """A total failure for two hours: what burns, burns; the period's budget is as if it had not been."""
    text = spec(INCIDENT)

    def bad_ones(time: float) -> float | None:
        within = DAY + 6 * HOUR < time <= DAY + 8 * HOUR + REACH
        return None if (time - PHASE) % STEP else 100.0 if within else 0.0

    for given, low, high in ((text, 1, 1), (text.partition("  budgetAdjustments")[0], -10, 0.9)):
        compiled = compile_text(tmp_path, given)
        case = Case(compiled, DAY + 12 * HOUR, step=HOUR, slot=PHASE)
        case.recorded(f"slo:target:ratio{ID}", lambda time: None if (time - PHASE) % STEP else 0.95)
        case.recorded(f"slo:events:slow{ID}", lambda time: None if (time - PHASE) % STEP else 100.0)
        case.recorded(f"slo:bad_events:slow{ID}", bad_ones)
        # 31 of the 90 tiles of 6h, over the budget of 5%.
        case.about(DAY + 9 * HOUR, f"slo:burn_rate:6h{ID}", 31 / 90 / 0.05, within=0.05)
        case.between(DAY + 9 * HOUR, f"slo:period_budget_remaining:ratio{ID}", low, high)
        case.prove()


# The tests that are generated

GENERATED = {
    "an incident": spec(CABLE),
    "two of them, and two SLOs": spec(REGION, CABLE, objectives=(TTFT, GATEWAY)),
    "two that meet": spec(CABLE, '{from: "2027-03-01T12:30:07Z", to: "2027-03-01T12:31:00Z", reason: again}'),
    "a second": spec('{from: "2027-03-01T10:00:00Z", to: "2027-03-01T10:00:01Z", reason: x}'),
    "half the period": spec('{from: "2027-03-01T10:00:00Z", to: "2027-03-04T22:00:00Z", reason: x}'),
    "a day of a period of a year": spec(
        '{from: "1999-03-01T10:00:00Z", to: "1999-03-02T10:00:00Z", reason: x}',
        more="  timeWindow: [{duration: 366d, isRolling: true}]\n",
    ),
    "a period of a day": spec(CABLE, more="  timeWindow: [{duration: 1d, isRolling: true}]\n"),
    "the first second of the epoch": spec('{from: "1970-01-01T00:00:00Z", to: "1970-01-01T00:00:01Z", reason: x}'),
    "slices": spec(CABLE, objectives=("{sli: throughput, rate: 480, target: 95%}",)),
    "groups": spec(
        CABLE,
        objectives=("{sli: ratio, target: 99%, name: grounded, bad: a_bad_total, total: a_total}",),
        more=WEEK + "  groupBy: {labels: [tenant], maxGroups: 3}\n",
    ),
    "exemptions beside it": spec(
        CABLE, more=WEEK + "  exemptions: [{kind: rollout, when: 'kube_a{app=\"x\"} == 0', maxPerPeriod: 2h}]\n"
    ),
    "a bound on the other side": spec(CABLE, objectives=("{sli: ttft, threshold: 150ms, target: 95%}",)),
}


@pytest.mark.promtool
@pytest.mark.parametrize("case", cases(GENERATED, ("two of them, and two SLOs", "a day of a period of a year")))
def test_the_generated_tests_hold(case: str, tmp_path: Path) -> None:
    rule_file, tests = written(resolved(GENERATED[case]), tmp_path)
    assert any(".adjusted-" in path.name for path in tests)
    result = promtool.check_rules(promtool.find_promtool(), [rule_file])
    assert result.ok, result.output
    slow = [path for path in tests if not path.name.endswith(".fast.test.yaml")]  # it reads no period
    result = promtool.test_rules(promtool.find_promtool(), slow)
    assert result.ok, result.output


# In the rules of CABLE: its begin and the end of its last tile, and the moments at which a period of 7d leaves them.
BEGIN, END = 1803895200, 1803904462
LEAVES, LEFT = BEGIN + 7 * DAY - 120, END + 7 * DAY - 120
INSIDE, LEAVING = f"vector(time()) <= {LEAVES}", f"vector(time()) > {LEAVES} < {LEFT}"
COUNTED = ("slo:period_events:sum", "slo:period_bad_events:sum", "slo:period_evaluations:sum")
# What stands in an expression and what it becomes, in one of the three that are adjusted, each in turn.
MISTAKES = {
    "all of the incident counts": (f"\nand on () {INSIDE}", "\nand on () vector(time()) <= 0"),
    "it is added": ("- (", "+ ("),
    "it begins a step earlier": ("[2h34m21s999ms]", "[2h38m21s999ms]"),
    "it begins a second earlier": ("[2h34m21s999ms]", "[2h34m22s999ms]"),
    "it begins a step later": ("[2h34m21s999ms]", "[2h30m21s999ms]"),
    "it begins a second later": ("[2h34m21s999ms]", "[2h34m20s999ms]"),
    "it ends a second earlier": (f"@ {END}", f"@ {END - 1}"),
    "it ends a second later": (f"@ {END}", f"@ {END + 1}"),
    "it counts a second too early": (INSIDE, f"vector(time()) <= {LEAVES - 1}"),
    "it counts once too early": (INSIDE, f"vector(time()) < {LEAVES}"),
    "it is left out for a second too long": (INSIDE, f"vector(time()) <= {LEAVES + 1}"),
    "it is left out when it is not in the period": (INSIDE, f"vector(time()) > {LEAVES}"),
    "what is left out is what there is": (INSIDE + "\nor 0 *", INSIDE + "\nor 1 *"),
    "the period never leaves it": (f"unless on () {LEAVING}", "unless on () vector(time()) < 0"),
    "the period leaves it a second late": (
        f"unless on () {LEAVING}",
        f"unless on () vector(time()) > {LEAVES + 1} < {LEFT}",
    ),
    "the period leaves it a second early": (
        f"unless on () {LEAVING}",
        f"unless on () vector(time()) > {LEAVES - 1} < {LEFT}",
    ),
    "the period leaves it once too early": (
        f"unless on () {LEAVING}",
        f"unless on () vector(time()) >= {LEAVES} < {LEFT}",
    ),
    "the period has left it too early": (
        f"unless on () {LEAVING}",
        f"unless on () vector(time()) > {LEAVES} < {LEFT - 1}",
    ),
    "the period has left it too late": (
        f"unless on () {LEAVING}",
        f"unless on () vector(time()) > {LEAVES} < {LEFT + 240}",
    ),
    "the range after it is a step too short": ("[6d23h57m59s999ms]", "[6d23h53m59s999ms]"),
    "the range after it is a step too long": ("[6d23h57m59s999ms]", "[7d1m59s999ms]"),
    "the range after it begins before its end": (f"@ {LEFT}", f"@ {LEFT - 1}"),
    "the range after it begins later": (f"@ {LEFT}", f"@ {LEFT + 1}"),
    "what came after it counts too late": (f"and on () {LEAVING}", f"and on () vector(time()) > {LEAVES + 1} < {LEFT}"),
    "what came after it stops too early": (f"and on () {LEAVING}", f"and on () vector(time()) > {LEAVES} < {LEFT - 1}"),
    "what came after it always counts": (f"and on () {LEAVING}", f"and on () vector(time()) > {LEAVES} > {LEFT}"),
    "the whole period counts while it leaves": (f"unless on () {LEAVING}\nor", "or"),
}
OTHERS = {
    "a comparison of the coverage": ("slo:period_coverage:ratio", "- (slo:period_seen", "+ (slo:period_seen"),
    "a coverage that knows nothing of it": (
        "slo:period_coverage:ratio",
        'slo:period_seen_evaluations:sum{slo_id="demo/chat-ttft"} - slo:period_evaluations:sum{slo_id="demo/chat-ttft"}',
        "0",
    ),
    "good events leave where bad ones should": ("slo:period_bad_events:sum", "slo:bad_events:slow", "slo:events:slow"),
    "sums where evaluations are counted": ("slo:period_evaluations:sum", "count_over_time", "sum_over_time"),
    "what was seen is adjusted": (
        "slo:period_seen_events:sum",
        'sum_over_time(slo:events:slow{slo_id="demo/chat-ttft"}[6d23h58m])',
        'sum_over_time(slo:events:slow{slo_id="demo/chat-ttft"}[6d23h58m]) - sum_over_time(slo:events:slow[3h] @ 1803904462)',
    ),
    "an attainment of all that was seen": (
        "slo:period_attainment:ratio",
        "period_bad_events",
        "period_seen_bad_events",
    ),
}
MUTANTS = [(case, COUNTED[index % 3], *change) for index, (case, change) in enumerate(MISTAKES.items())]
MUTANTS += [(case, *change) for case, change in OTHERS.items()]


@pytest.mark.promtool
@pytest.mark.parametrize(("case", "record", "right", "wrong"), MUTANTS, ids=[item[0] for item in MUTANTS])
def test_a_mistake_in_an_adjusted_rule_fails_the_generated_tests(
    case: str, record: str, right: str, wrong: str, tmp_path: Path
) -> None:
    rule_file, tests = written(resolved(spec(CABLE)), tmp_path)
    document = yaml.load(rule_file.read_bytes(), Loader=yaml.CSafeLoader)
    (rule,) = [rule for group in document["groups"] for rule in group["rules"] if rule.get("record") == record]
    assert right in rule["expr"], rule["expr"]
    rule["expr"] = rule["expr"].replace(right, wrong)
    rule_file.write_text(json.dumps(document), encoding="utf-8")
    result = promtool.check_rules(promtool.find_promtool(), [rule_file])
    assert result.ok, result.output
    looks = [path for path in tests if ".adjusted-" in path.name]
    assert len(looks) == 5
    # Some look notices, and the others need not be asked.
    assert not all(promtool.test_rules(promtool.find_promtool(), [look], twice=False).ok for look in looks), case


# What is refused, and what a day says

REFUSED = {
    "an end before its begin": (
        '{from: "2027-03-01T10:00:00Z", to: "2027-03-01T09:00:00Z", reason: x}',
        "SLO203",
        "no later",
    ),
    "no time at all": (
        '{from: "2027-03-01T10:00:00Z", to: "2027-03-01T12:00:00+02:00", reason: x}',
        "SLO203",
        "no later",
    ),
    "over half the period": (
        '{from: "2027-03-01T10:00:00Z", to: "2027-03-04T22:00:01Z", reason: x}',
        "SLO203",
        "3d12h1s of a period of 7d",
    ),
    "no begin": ('{to: "2027-03-01T11:00:00Z", reason: x}', "SLO202", "from is missing"),
    "no reason": ('{from: "2027-03-01T10:00:00Z", to: "2027-03-01T11:00:00Z"}', "SLO202", "reason is missing"),
    "an empty reason": ('{from: "2027-03-01T10:00:00Z", to: "2027-03-01T11:00:00Z", reason: ""}', "SLO203", "reason"),
    "a blank reason": ('{from: "2027-03-01T10:00:00Z", to: "2027-03-01T11:00:00Z", reason: "  "}', "SLO203", "reason"),
    "a word for a moment": ('{from: yesterday, to: "2027-03-01T11:00:00Z", reason: x}', "SLO203", "'yesterday' is no"),
    "no such day": ('{from: "2027-02-29T10:00:00Z", to: "2027-03-01T11:00:00Z", reason: x}', "SLO203", "is no moment"),
    "a thousandth of a second": (
        '{from: "2027-03-01T10:00:00.001Z", to: "2027-03-01T11:00:00Z", reason: x}',
        "SLO203",
        "is no moment",
    ),
    "a time before the epoch": (
        '{from: "1969-12-31T10:00:00Z", to: "1970-01-01T11:00:00Z", reason: x}',
        "SLO203",
        "1970",
    ),
    "a time that no clock here reaches": (
        '{from: "2027-03-01T10:00:00Z", to: "9999-12-31T23:59:59Z", reason: x}',
        "SLO203",
        "outside of the years 1970 to 2199",
    ),
    "an unknown field": (
        '{from: "2027-03-01T10:00:00Z", to: "2027-03-01T11:00:00Z", reason: x, until: 2027}',
        "SLO201",
        "no field until",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_adjustment_is_refused_once_and_says_why(case: str) -> None:
    adjustment, code, words = REFUSED[case]
    (fault,) = [item for item in checked(spec(adjustment)).diagnostics if item.code.name.startswith("SLO2")]
    assert fault.code.name == code
    assert words in fault.message
    assert fault.hint
    assert fault.span.line == len(spec(adjustment).splitlines())


MEANT = {
    "2027-03-01": "2027-03-01T00:00:00Z",
    "2027-03-01T10:00:00": "2027-03-01T10:00:00Z",
    "2027-03-01T10:00": "2027-03-01T10:00:00Z",
    "2027-03-01T10:00Z": "2027-03-01T10:00:00Z",
    "2027-03-01 10:00:00+02:00": "2027-03-01T10:00:00+02:00",
    "2027-03-01 10:17Z": "2027-03-01T10:17:00Z",
    "2027-03-01t10:17:03z": "2027-03-01T10:17:03Z",
    " 2027-03-01 ": "2027-03-01T00:00:00Z",
    "noon": "2027-03-01T10:00:00Z",
}


@pytest.mark.parametrize("text", MEANT)
def test_a_moment_that_lacks_something_gets_a_hint_that_is_read(text: str) -> None:
    (fault,) = checked(spec(f'{{from: "{text}", to: "2027-03-02T10:00:00Z", reason: x}}')).diagnostics
    assert fault.hint.endswith(MEANT[text])
    assert not checked(spec(f'{{from: "{MEANT[text]}", to: "2027-03-02T10:00:00Z", reason: x}}')).failed


def test_overlapping_adjustments_are_refused_and_adjacent_ones_are_not() -> None:
    first = '{from: "2027-03-01T10:00:00Z", to: "2027-03-01T11:00:00Z", reason: x}'
    overlapping = '{from: "2027-03-01T10:59:59Z", to: "2027-03-01T12:00:00Z", reason: y}'
    adjacent = '{from: "2027-03-01T11:00:00Z", to: "2027-03-01T12:00:00Z", reason: y}'
    (fault,) = [item for item in checked(spec(first, overlapping)).diagnostics if item.code.name == "SLO203"]
    assert "overlaps the one of line 15" in fault.message
    assert fault.hint == "one for both: {from: 2027-03-01T10:00:00Z, to: 2027-03-01T12:00:00Z, reason: ...}"
    (twice,) = [item for item in checked(spec(first, first)).diagnostics if item.code.name == "SLO203"]
    assert "overlaps the one of line 15" in twice.message
    assert [item.reason for item in resolved(spec(adjacent, first)).slos[0].adjustments] == ["x", "y"]


def test_together_they_leave_half_of_any_period() -> None:
    def days(first: int, last: int) -> str:
        return f'{{from: "2027-03-{first:02}T00:00:00Z", to: "2027-03-{last:02}T00:00:00Z", reason: x}}'

    assert not checked(spec(days(1, 3), days(20, 23), days(8, 11))).failed, "five days, never over 3.5 within seven"
    (fault,) = [item for item in checked(spec(days(1, 3), days(5, 7))).diagnostics if item.code.name == "SLO203"]
    assert fault.message == "with this one, adjustments take 4d of a period of 7d, over half of it"
    # Of the first only its last day is in the period that ends with the second.
    assert not checked(spec(days(1, 3), days(7, 9))).failed
    many = [
        f'{{from: "2027-{month:02}-01T00:00:00Z", to: "2027-{month:02}-01T00:00:09Z", reason: x}}'
        for month in range(1, 13)
    ]
    assert not checked(spec(*many)).failed
    assert [item.code.name for item in checked(spec(*many, days(15, 16))).diagnostics] == ["SLO203"]


def test_every_fault_is_told_at_once() -> None:
    text = spec(
        '{from: "2027-03-01T10:00:00Z", to: "2027-03-01T09:00:00Z", reason: x}',
        '{from: "2027-03-01T10:00:00Z", to: "2027-03-20T09:00:00Z", reason: x}',
        CABLE,
        CABLE,
    )
    assert [item.span.line for item in checked(text).diagnostics if item.code.name == "SLO203"] == [15, 16, 18]


DAYS = {
    datetime.date(2027, 2, 28): "SLO510",
    datetime.date(2027, 3, 1): None,
    datetime.date(2027, 3, 8): None,
    datetime.date(2027, 3, 9): "SLO509",
}


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_the_day_of_validate_says_what_is_to_come_and_what_is_over(today: datetime.date) -> None:
    found = checked(spec(CABLE, objectives=(TTFT, GATEWAY)), today).diagnostics
    codes = [item.code.name for item in found if item.code.name in ("SLO509", "SLO510")]
    assert codes == ([DAYS[today]] if DAYS[today] else [])
    assert [item.span.line for item in found if item.code.name in codes] == [16] * len(codes)


def test_a_compilation_judges_no_day() -> None:
    found = checked(spec('{from: "2001-03-01T10:00:00Z", to: "2001-03-01T11:00:00Z", reason: x}')).diagnostics
    assert not [item for item in found if item.code.name in ("SLO509", "SLO510")]


# What outputs say


def test_outputs_say_what_is_left_out_and_why() -> None:
    found = resolved(spec(REGION, CABLE))
    when = ["2027-03-01T10:00:00Z to 2027-03-01T12:30:07Z", "2027-03-03T21:15:00Z to 2027-03-04T02:00:00Z"]
    assert dict(found.slos[0].info)["adjusted"] == ", ".join(when)
    shown = [" ".join(line.split()) for line in explain.render_numbers([found], 200).splitlines()]
    assert f"adjusted 2h30m7s left out, {when[0]}: a cable was cut" in shown
    assert f"adjusted 4h45m left out, {when[1]}: the {{{{region}}}} was lost" in shown
    (numbers,) = yaml.safe_load(explain.numbers_json([found]))["slos"]
    assert [item["value"] for item in numbers["provenance"] if item["field"] == "adjusted"] == [9007, 17100]
    assert numbers["budgetAdjustments"] == [
        {"from": "2027-03-01T10:00:00Z", "to": "2027-03-01T12:30:07Z", "reason": "a cable was cut"},
        {"from": "2027-03-03T21:15:00Z", "to": "2027-03-04T02:00:00Z", "reason": "the {{region}} was lost"},
    ]
    alerts = [rule for group in yaml.safe_load(rules_of(found))["groups"] for rule in group["rules"] if "alert" in rule]
    (exhausted,) = [rule for rule in alerts if rule["alert"] == "SLOBudgetExhausted"]
    assert exhausted["annotations"]["description"].endswith(
        f' Left out of the period: {when[0]} (a cable was cut), {when[1]} (the {{{{ "{{{{" }}}}region}}}} was lost).'
    )
    (slo,) = [item for item in openslo.documents_of(found) if item["kind"] == "SLO"]
    own = slo["metadata"]["annotations"]
    assert own["slo-compiler/budget-adjustments.0.from"] == "2027-03-03T22:15:00+01:00"
    assert own["slo-compiler/budget-adjustments.1.reason"] == "a cable was cut"
    assert own["slo-compiler/provenance.adjusted"].count("left out, ") == 2


def test_an_adjustment_moves_no_identity_and_no_other_rule() -> None:
    """What was recorded stays, and nothing of a spec without adjustments knows of them."""
    for more in (WEEK, WEEK + "  resetOnChange: true\n"):
        before, after = (yaml.safe_load(rules_of(resolved(spec(*item, more=more)))) for item in ((), (CABLE,)))
        period = "slo:period_"
        rules_before, rules_after = (
            [
                rule
                for group in document["groups"]
                for rule in group["rules"]
                if not rule.get("record", "").startswith(period) and rule.get("record") != "slo:info"
                if rule.get("alert") != "SLOBudgetExhausted"
            ]
            for document in (before, after)
        )
        assert rules_after == rules_before
        names = [rule.get("record") for group in before["groups"] for rule in group["rules"]]
        assert not [name for name in names if name and ("seen" in name or "evaluations" in name)]
