"""What an alerting rule does over time, and what its texts say: Prometheus's state machine, stated a second time.

Source: Prometheus, `rules/alerting.go`, `AlertingRule.Eval`; Go templates as the compiler's own texts use them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.notation import Labels, expect, firing, number
from slo_compiler.promql.build import string
from slo_compiler.units import Duration

INACTIVE, PENDING, FIRING = "", "pending", "firing"


@dataclass(frozen=True, slots=True)
class AlertCourse:
    """One alert at each evaluation: its state, and the value that its texts show."""

    rule: Document
    states: tuple[str, ...]
    shown: tuple[float, ...]

    @property
    def name(self) -> str:
        """The alert's name."""
        return str(self.rule["alert"])

    def changes(self) -> frozenset[int]:
        """The evaluations at which the state changes, and those just before."""
        return _changes(self.states)


def of_group(rule: Document, group: Labels) -> Document:
    """The rule as it alerts on a group: with the labels of its series."""
    return {**rule, "series_labels": dict(group)} if group else rule


def course(rule: Document, active: Sequence[bool], value: Sequence[float], step: float) -> AlertCourse:
    """Runs an alerting rule over its condition.

    Args:
        active: whether the expression gives a result at each evaluation.
        value: the result's value.
        step: seconds between evaluations.
    """
    states, shown = _course(tuple(active), tuple(value), *clocks(rule), step)
    return AlertCourse(rule, states, shown)


def clocks(rule: Document) -> tuple[float, float]:
    """`for` and `keep_firing_for` of a rule in seconds."""
    return _seconds(rule.get("for")), _seconds(rule.get("keep_firing_for"))


@lru_cache(maxsize=4096)
def _course(
    active: tuple[bool, ...], value: tuple[float, ...], hold: float, keep: float, step: float
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    shown, last = [], 0.0
    for is_active, now in zip(active, value, strict=True):
        last = now if is_active else last
        shown.append(last)
    return tuple(states(active, hold, keep, step)), tuple(shown)


def states(active: Iterable[bool], hold: float, keep: float, step: float) -> Iterator[str]:
    """The state after each evaluation.

    Args:
        active: whether the expression gives a result.
        hold: `for` in seconds.
        keep: `keep_firing_for` in seconds.
        step: seconds between evaluations.
    """
    state, since, kept_since = INACTIVE, 0.0, -1.0
    for index, is_active in enumerate(active):
        now = index * step
        if is_active:
            kept_since = -1.0
            if state == INACTIVE:
                state, since = PENDING, now
            if state == PENDING and now - since >= hold:
                state = FIRING
        elif state == PENDING:
            state = INACTIVE
        elif state == FIRING:
            kept_since = now if kept_since < 0 else kept_since
            if keep == 0 or now - kept_since >= keep:
                state, kept_since = INACTIVE, -1.0
        yield state


@lru_cache(maxsize=4096)
def _changes(states: tuple[str, ...]) -> frozenset[int]:
    found = set()
    for index in range(1, len(states)):
        if states[index] != states[index - 1]:
            found |= {index - 1, index}
    return frozenset(found)


def state_checks(
    courses: Sequence[AlertCourse],
    looks: Sequence[int],
    step: float,
    slo_id: str,
    by: Sequence[str],
    only: str = "",
    sources: tuple[str, Sequence[str]] | None = None,
) -> list[Document]:
    """At each look, exactly these alerts of an SLO and no other, told apart by the labels `by`.

    Args:
        only: the one alert name that is asked about, where the series make others fire too.
        sources: the label of sources, and those of its values that are asked about; None asks about all.
    """
    wanted = f"slo_id={string(slo_id)}" + (f",alertname={string(only)}" if only else "")
    if sources is not None:
        label, values = sources
        wanted += f",{label}=~{string('|'.join(re.escape(source) for source in values))}"
    query = f"count by (alertname, alertstate, {', '.join(by)}) (ALERTS{{{wanted}}})"
    checks = []
    for look in looks:
        found: dict[str, float] = {}
        for item in courses:
            if item.states[look] != INACTIVE:
                key = _labels(item, item.states[look], by)
                found[key] = found.get(key, 0) + 1
        checks.append(expect(look * step, query, sorted(found.items())))
    return checks


def text_checks(courses: Sequence[AlertCourse], name: str, look: int, step: float) -> Document:
    """All alerts of one name that fire at a look, with their labels and finished texts."""
    alerts = [item for item in courses if item.name == name and item.states[look] == FIRING]
    first = firing(look * step, name, *_finished(alerts[0], look))
    for item in alerts[1:]:
        labels, annotations = _finished(item, look)
        first["exp_alerts"].append({"exp_labels": labels, "exp_annotations": annotations})
    return first


def _finished(
    item: AlertCourse, look: int, extra: Mapping[str, str] | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    own: dict[str, str] = {**item.rule.get("series_labels", {}), **(extra or {})}
    value = item.shown[look]
    labels = {**own, **{key: render(text, value, own) for key, text in item.rule["labels"].items()}}
    asked: str = item.rule.get("queried", "")
    texts = {key: _QUERIED.sub(lambda _: asked, text) for key, text in item.rule["annotations"].items()}
    annotations = {key: render(text, value, labels) for key, text in texts.items()}
    return labels, annotations


def _labels(item: AlertCourse, state: str, by: Sequence[str]) -> str:
    own = {**item.rule.get("series_labels", {}), **item.rule["labels"]}
    pairs = {"alertname": item.name, "alertstate": state, **{key: own[key] for key in by if own.get(key)}}
    return "{" + ", ".join(f"{key}={string(value)}" for key, value in sorted(pairs.items())) + "}"


# A label of a recorded series, as `texts.queried` asks for it; `queried` of the rule says what it is.
_QUERIED = re.compile(r'\{\{ with query "(?:\\.|[^"\\])*" \}\}\{\{ \. \| first \| label "\w+" \}\}\{\{ end \}\}')
_ACTION = re.compile(r"\{\{ (.*?) \}\}")


def render(text: str, value: float, labels: Mapping[str, str]) -> str:
    """A text with its template actions carried out, for the few actions that the compiler writes.

    Raises:
        ValueError: the action is none of them.
    """

    def act(match: re.Match[str]) -> str:
        action = match[1]
        if action == '"{{"':
            return "{{"
        if action == "$value":
            return number(value)
        if action.startswith('$value | printf "%'):
            return format(value, action.removeprefix('$value | printf "%').removesuffix('"'))
        if action == "$value | humanizePercentage":
            return f"{value * 100:.4g}%"
        if action == "$value | humanizeDuration":
            return _humanized(value)
        if action.startswith("$labels.") and action.endswith(' | printf "%q"'):
            return string(labels.get(action.removeprefix("$labels.").removesuffix(' | printf "%q"'), ""))
        if action.startswith("$labels."):
            return labels.get(action.removeprefix("$labels."), "")
        raise ValueError(f"the template action {action!r} is not known")

    return _ACTION.sub(act, text)


def _humanized(seconds: float) -> str:
    """Prometheus's `humanizeDuration` for whole seconds of at least a minute."""
    total = int(seconds)
    days, hours, minutes = total // 86400, total // 3600 % 24, total // 60 % 60
    if days:
        return f"{days}d {hours}h {minutes}m {total % 60}s"
    return f"{hours}h {minutes}m {total % 60}s" if hours else f"{minutes}m {total % 60}s"


def _seconds(text: str | None) -> float:
    return float(Duration.parse(text).seconds) if text else 0.0
