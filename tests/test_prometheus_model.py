"""The oracle of the generated tests against the real promtool, on counters that nobody chose.

Where the oracle repeats an error of the rules, the generated tests prove nothing; here it meets Prometheus itself. Each
example draws a fleet of counters and becomes one run of promtool.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slo_compiler.emit.promtool_tests import model
from slo_compiler.external import promtool
from slo_compiler.ir import Counters, Level, Matcher, Selector, Steps
from slo_compiler.promql.measurements import events

SLOT = 5
SLOTS_PER_SCRAPE = 3
SCRAPES = 60
# Evaluations lie on whole half minutes and scrapes between them: on the edge of a range, Prometheus 2 and 3 differ.
LOOKS = (30, 60, 90, 240, 330, 480, 570, 690, 840)
STEPS = Steps(fast=30, slow=240, scrape=Decimal(15))
WINDOWS = (30, 45, 240, 255)
# Far above zero, also after both resets that a counter may have: near it, Prometheus 2 and 3 extrapolate differently.
FIRST = 1_000_000
RESETS = (100_000, 10_000)
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Drawn:
    """The samples of one series, by slot; NaN is a staleness marker."""

    slots: dict[int, float]

    @property
    def samples(self) -> list[model.Sample]:
        """As the oracle reads them."""
        return [(slot * SLOT, value) for slot, value in self.slots.items()]

    @property
    def values(self) -> str:
        """As promtool reads them."""
        length = SCRAPES * SLOTS_PER_SCRAPE
        return " ".join(_token(self.slots[slot]) if slot in self.slots else "_" for slot in range(length))


@dataclass(frozen=True, slots=True)
class Target:
    """A counter and the `up` of its target."""

    counter: Drawn
    up: Drawn


def _token(value: float) -> str:
    return "stale" if value != value else str(int(value))


# What happens at a scrape: mostly an increase, else the scrape is missed, the series vanishes, or its process restarts.
happenings = st.lists(
    st.one_of(
        st.integers(min_value=0, max_value=400),
        st.integers(min_value=0, max_value=400),
        st.sampled_from(["missed", "gone", "reset"]),
        st.just("idle"),
    ),
    min_size=SCRAPES,
    max_size=SCRAPES,
)


@st.composite
def counters(draw: st.DrawFn) -> Drawn:
    """A counter that is born some time, grows, rests, is missed, vanishes for a while and restarts."""
    phase = draw(st.integers(min_value=1, max_value=SLOTS_PER_SCRAPE - 1))
    born = draw(st.integers(min_value=0, max_value=SCRAPES - 20))
    absence = draw(st.integers(min_value=1, max_value=25))
    slots: dict[int, float] = {}
    value, resets, absent = float(FIRST), 0, 0
    for number, what in enumerate(draw(happenings)):
        slot = number * SLOTS_PER_SCRAPE + phase
        if number < born or what == "missed":
            continue
        if absent > 0:
            absent -= 1
            continue
        if what == "gone" and slots:
            slots[slot] = NAN
            absent = absence
            continue
        if what == "reset" and resets < len(RESETS) and slots:
            value = float(RESETS[resets])
            resets += 1
        elif isinstance(what, int):
            value += what
        slots[slot] = value
    return Drawn(slots)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """A counter with an `up` of its own making: up, down and unknown in stretches."""
    counter = draw(counters())
    stretch = draw(st.integers(min_value=1, max_value=30))
    states = draw(st.lists(st.sampled_from([1, 1, 1, 0, None]), min_size=SCRAPES, max_size=SCRAPES))
    up = {}
    for number in range(SCRAPES):
        state = states[number // stretch]
        if state is not None:
            up[number * SLOTS_PER_SCRAPE + 1] = float(state)
    return Target(counter, Drawn(up))


fleets = st.lists(targets(), min_size=8, max_size=8)


@pytest.mark.promtool
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(fleets)
def test_the_oracle_says_what_prometheus_says(fleet: list[Target]) -> None:
    series = []
    checks: list[dict[str, Any]] = []
    for number, target in enumerate(fleet):
        labels = f'{{job="j",instance="{number}"}}'
        series.append({"series": f"x_total{labels}", "values": target.counter.values})
        series.append({"series": f"up{labels}", "values": target.up.values})
        for look in LOOKS:
            checks += _checks(target, number, look)
    document = {
        "rule_files": [],
        "evaluation_interval": "30s",
        "tests": [{"interval": f"{SLOT}s", "input_series": series, "promql_expr_test": checks}],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.test.yaml")
        path.write_text(json.dumps(document), encoding="utf-8")
        result = promtool.test_rules(promtool.find_promtool(), [path])
    assert result.ok, result.output


def _checks(target: Target, number: int, look: int) -> Iterator[dict[str, Any]]:
    selector = f'x_total{{instance="{number}"}}'
    samples = target.counter.samples
    yield _expect(look, selector, model.latest(samples, look))
    for window in WINDOWS:
        yield _expect(look, f"increase({selector}[{window}s])", model.increase(samples, look, window))
        yield _expect(look, f"rate({selector}[{window}s])", model.rate(samples, look, window))
        found = [value for _, value in model.in_range(samples, look, window)]
        yield _expect(look, f"min_over_time({selector}[{window}s])", min(found, default=None))
    for level in Level:
        step = STEPS.of(level)
        born = model.born(samples, target.up.samples, look, step)
        # The rules add nothing where nothing was born.
        yield _expect(look, f"{_born(selector, step)} or on () vector(0)", born)


def _born(selector: str, step: int) -> str:
    """The term for births, as the rules write it."""
    window = {30: "30s", 240: "4m"}[step]
    return (
        f"sum((min_over_time({selector}[{window}]) unless {selector} offset {window})"
        f" and on (job, instance) (up offset {window} == 1))"
    )


def _expect(look: int, expr: str, value: float | None) -> dict[str, Any]:
    samples: Sequence[dict[str, Any]] = ()
    if value is not None:
        # promtool compares bit by bit; both computed the same, but not in the same order.
        slack = 1e-9 * max(1.0, abs(value))
        expr = f"count(abs(({expr}) - {value!r}) <= {slack!r})"
        samples = [{"labels": "{}", "value": 1}]
    return {"expr": expr, "eval_time": f"{look}s", "exp_samples": list(samples)}


@pytest.mark.parametrize("level", list(Level), ids=lambda level: level.value)
def test_the_term_for_births_is_the_one_that_the_rules_write(level: Level) -> None:
    selector = Selector("x_total", (Matcher("instance", "=", "3"),))
    written = events(Counters(selector, selector, "bad"), STEPS, level)
    term = _born('x_total{instance="3"}', STEPS.of(level))
    assert f"({term} or vector(0))" in written
