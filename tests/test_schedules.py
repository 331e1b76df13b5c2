"""Cron, time zones, and the PromQL that they become: against the calendar of Python, around every change of clocks."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo_compiler.external import promtool
from slo_compiler.ir_exemptions import Schedule
from slo_compiler.promql.schedules import is_open, starts_a_day
from slo_compiler.resolve.cron import Cron, NotCron, read_cron
from slo_compiler.resolve.zones import UnknownZone, find_zone, read_rule
from slo_compiler.resources import zone_names
from slo_compiler.units import Duration
from tests.promql_calendar import evaluator

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Nuuk",  # the clocks change before midnight
    "America/Santiago",  # after midnight of the day before
    "Australia/Sydney",
    "Australia/Lord_Howe",  # by half an hour
    "Antarctica/Troll",  # by two hours
    "Pacific/Chatham",
    "Europe/Dublin",  # winter is the exception there
    "Africa/Cairo",
    "Asia/Gaza",  # two days after a weekday
    "Asia/Kolkata",
    "Etc/GMT+12",
    "UTC",
)
YEARS = (2027, 2028)
HOUR, DAY = 3600, 86400


def schedule(cron: str, zone: str, duration: int) -> Schedule:
    return Schedule(cron, *read_cron(cron), Duration.of(duration), find_zone(zone))


@cache
def changes(zone: str) -> tuple[int, ...]:
    """The moments of two years at which the offset of a zone changes, to the minute."""
    info = ZoneInfo(zone)

    def offset(moment: int) -> datetime.timedelta | None:
        return datetime.datetime.fromtimestamp(moment, info).utcoffset()

    begin, end = (int(datetime.datetime(year, 1, 1, tzinfo=datetime.UTC).timestamp()) for year in (2027, 2029))
    return tuple(moment for moment in range(begin, end, 900) if offset(moment) != offset(moment - 900))


def open_by_python(cron: Cron, zone: str, duration: int, moment: int) -> bool:
    """Whether a window is open, by the dates of `datetime` and the zone of `zoneinfo`: the meaning, said again."""
    info = ZoneInfo(zone)
    today = datetime.datetime.fromtimestamp(moment, info).date()
    for back in range(-1, duration // DAY + 3):
        date = today - datetime.timedelta(days=back)
        by_day, by_weekday = date.day in cron.month_days, date.isoweekday() % 7 in cron.weekdays
        if date.month not in cron.months or not (by_day or by_weekday if cron.either else by_day and by_weekday):
            continue
        for time in cron.times:
            start = datetime.datetime(date.year, date.month, date.day, time // HOUR, time % HOUR // 60, tzinfo=info)
            if 0 <= moment - start.timestamp() < duration:
                return True
    return False


CRONS = ("30 2 * * *", "30 1 * * sun", "15 23 28-31 * *", "0 2 1,15 3-4,9-11 *", "59 23 31 12 *")


def moments(zone: str, duration: int) -> Iterator[int]:
    """Every half an hour, and the second before it, within a day of a change and of a new year."""
    new_year = int(datetime.datetime(2028, 1, 1, tzinfo=datetime.UTC).timestamp())
    for around in (*changes(zone), new_year):
        for half in range(around - DAY, around + DAY + duration, 1800):
            yield from (half - 1, half)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cron", CRONS)
def test_a_schedule_follows_the_clocks_of_its_zone(cron: str, zone: str) -> None:
    duration = 90 * 60
    holds = evaluator(is_open(schedule(cron, zone, duration)))
    read = read_cron(cron)
    seen = set()
    for moment in moments(zone, duration):
        expected = open_by_python(read, zone, duration, moment)
        seen.add(expected)
        assert bool(holds(moment)) == expected, datetime.datetime.fromtimestamp(moment, ZoneInfo(zone))
    assert False in seen


def test_the_zones_change_their_clocks() -> None:
    """Or the test above looks at new years only."""
    assert [len(changes(zone)) for zone in ZONES] == [4] * 12 + [0] * 3


FIELDS = st.tuples(
    st.integers(0, 59).map(str),
    st.sampled_from(["0", "1", "2", "3", "22", "23", "0,12", "1-3", "*/8"]),
    st.sampled_from(["*", "*/2", "1", "7-14", "25-31", "1,31"]),
    st.sampled_from(["*", "3", "10-12", "jan,apr", "*/3"]),
    st.sampled_from(["*", "0", "7", "sun", "mon-fri", "4,6", "*/2"]),
)


@given(
    fields=FIELDS,
    zone=st.sampled_from(ZONES),
    duration=st.integers(1, 50 * 60).map(lambda minutes: minutes * 60),
    which=st.integers(0, 3),
    near=st.integers(-3 * DAY, 3 * DAY),
    anywhere=st.integers(1798761600, 1861920000),  # 2027 and 2028
)
@settings(max_examples=300, deadline=None)
def test_any_schedule_agrees_with_zoneinfo(
    fields: tuple[str, ...], zone: str, duration: int, which: int, near: int, anywhere: int
) -> None:
    cron = " ".join(fields)
    try:
        read = read_cron(cron)
    except NotCron as fault:
        assert "never comes" in str(fault)
        return
    found = changes(zone)
    holds = evaluator(is_open(schedule(cron, zone, duration)))
    for moment in (anywhere, (found[which] if found else anywhere) + near):
        assert bool(holds(moment)) == open_by_python(read, zone, duration, moment)


@pytest.mark.promtool
def test_prometheus_computes_the_same(tmp_path: Path) -> None:
    """The evaluator of these tests against the real one, at moments around the first changes after 1970 by the rules."""
    schedules = [
        schedule("30 2 * * *", "Europe/Berlin", 2 * HOUR),
        schedule("0 2 1-7 * sun", "Pacific/Chatham", 30 * HOUR),
        schedule("15 */12 * mar-apr *", "Asia/Gaza", HOUR),
    ]
    # In 1970 the last Sunday of March was the 29th, and the first of April the 5th.
    begin = int(datetime.datetime(1970, 3, 26, tzinfo=datetime.UTC).timestamp())
    checks: list[dict[str, Any]] = []
    for item in schedules:
        holds = evaluator(is_open(item))
        for moment in range(begin, begin + 12 * DAY, 5400):
            value = int(holds(moment))
            sample = {"labels": "{}", "value": value}
            checks.append({"expr": is_open(item), "eval_time": f"{moment}s", "exp_samples": [sample]})
    assert {check["exp_samples"][0]["value"] for check in checks} == {0, 1}
    (tmp_path / "rules.yaml").write_text("groups: []\n", encoding="utf-8")
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1d",
        "tests": [{"interval": "1d", "input_series": [], "promql_expr_test": checks}],
    }
    path = tmp_path / "calendar.test.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    result = promtool.test_rules(promtool.find_promtool(), [path])
    assert result.ok, result.output


READ = {
    "once a week": ("0 3 * * 0", ((3 * HOUR,), tuple(range(1, 32)), tuple(range(1, 13)), (0,), False)),
    "Sunday is 7, too": ("5 0 * * 7", ((300,), tuple(range(1, 32)), tuple(range(1, 13)), (0,), False)),
    "names": ("0 0 * FEB-mar Mon,thu", ((0,), tuple(range(1, 32)), (2, 3), (1, 4), False)),
    "steps": (
        "*/30 22-23 1-10/3 * *",
        ((79200, 81000, 82800, 84600), (1, 4, 7, 10), tuple(range(1, 13)), tuple(range(7)), False),
    ),
    "a step from a value on": (
        "0 6/9 * * *",
        ((6 * HOUR, 15 * HOUR), tuple(range(1, 32)), tuple(range(1, 13)), tuple(range(7)), False),
    ),
    "both days": ("0 0 13 * 5", ((0,), (13,), tuple(range(1, 13)), (5,), True)),
    "a star with a step is no restriction": (
        "0 0 */2 * 5",
        ((0,), tuple(range(1, 32, 2)), tuple(range(1, 13)), (5,), False),
    ),
}


@pytest.mark.parametrize("case", READ)
def test_cron_is_read(case: str) -> None:
    text, expected = READ[case]
    assert tuple(read_cron(text)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 3 * *", "has 4 fields"),
        ("@daily", "has 1 fields"),
        ("60 3 * * *", "'60' is no minute: it lies in 0 to 59"),
        ("0 24 * * *", "no hour"),
        ("0 0 0 * *", "no day of month"),
        ("0 0 * 13 *", "no month"),
        ("0 0 * * 8", "no day of week"),
        ("0 0 * * monday", "no day of week"),
        ("0 5-3 * * *", "runs backwards"),
        ("*/0 * * * *", "its step is 0"),
        ("0 0 31 2,4 *", "never comes"),
        ("0, 3 * * *", "no minute"),
        ("- 3 * * *", "no minute"),
        ("0 3 ? * L", "no day of month"),
    ],
)
def test_what_is_no_cron_says_which_part(text: str, message: str) -> None:
    with pytest.raises(NotCron, match=message.replace("?", r"\?")):
        read_cron(text)


@given(st.text(alphabet="0123456789*/,- sunjan", max_size=30))
def test_reading_never_fails_otherwise(text: str) -> None:
    try:
        cron = read_cron(text)
    except NotCron:
        return
    assert cron.times
    assert cron.times == tuple(sorted(set(cron.times)))


def test_every_zone_is_read_or_refused_with_a_way_out() -> None:
    read = 0
    for name in zone_names():
        try:
            zone = find_zone(name)
        except UnknownZone as fault:
            assert fault.hint
        else:
            read += 1
            assert -43200 <= zone.standard <= 50400
    assert read == len(zone_names())


def test_a_zone_is_its_rule_of_today() -> None:
    zone = find_zone("America/New_York")
    assert (zone.standard, zone.summer) == (-5 * HOUR, -4 * HOUR)
    assert tuple(zone.begins or ()) == (3, 2, 0, 2 * HOUR)
    assert tuple(zone.ends or ()) == (11, 1, 0, 2 * HOUR)


@pytest.mark.parametrize(
    "name", ["Europe/Berlinn", "", "../../etc/passwd", "europe/berlin", "CET-1CEST,M3.5.0,M10.5.0/3"]
)
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(UnknownZone, match="unknown time zone"):
        find_zone(name)


@pytest.mark.parametrize("rule", ["CET-1CEST,J60,J300", "CET-1CEST,59,299/3", "CET-1CEST,M3.1.0,M3.5.0", "", "CET"])
def test_a_rule_without_months_and_weeks_is_refused(rule: str) -> None:
    with pytest.raises(UnknownZone) as caught:
        read_rule("Nowhere/Else", rule)
    assert "UTC" in caught.value.hint


def test_a_window_of_days_looks_at_each_of_them() -> None:
    assert starts_a_day(schedule("0 3 * * 0", "UTC", HOUR)) == 1
    assert starts_a_day(schedule("0 3,15 * * 0", "UTC", DAY + 1)) == 4
