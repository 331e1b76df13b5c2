"""The outcome of a simulation as a table for people, as Markdown for a pull request, and as JSON."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from slo_compiler.analysis.scenario import Scenario
from slo_compiler.analysis.simulate import AlertOutcome, Episode, RateOrigin, Reason, SloOutcome
from slo_compiler.diagnostics.report_json import json_text
from slo_compiler.emit import texts
from slo_compiler.ir import Slices, Spec, Tier
from slo_compiler.plain_text import GAP, NARROWEST, SEVERITY_COLOURS, escape_markdown, indented, visible
from slo_compiler.units import Duration, decimal_text, percent_text

SCHEMA = "slo-compiler/simulate/v1"
_HEADS = ("tier", "windows", "severity", "fires", "clears", "after end", "spent", "note")


def to_text(scenario: Scenario, outcomes: Sequence[SloOutcome], *, width: int = NARROWEST, colour: bool = False) -> str:
    """The outcomes as aligned tables.

    Args:
        width: of the terminal in columns; under 80 it is taken as 80.
        colour: whether alerts that fire are coloured by their severity.
    """
    width = max(width, NARROWEST)
    lines = _wrapped(_headline(scenario), width)
    for spec, found in _by_spec(outcomes):
        lines += ["", *_wrapped(f"{spec.engine_id} ({spec.path}): {_traffic(found)}", width)]
        for outcome in found:
            lines += ["", *_wrapped(f"{outcome.slo.slo_id}: {outcome.slo.promise}", width, hanging=GAP * 2)]
            lines += _wrapped(_budget(outcome), width, GAP, GAP)
            rows = _rows(scenario, outcome)
            if rows:
                colours = [_colour(alert) if colour else "" for alert, _ in rows]
                table = [[visible(cell) for cell in row] for row in (_HEADS, *(cells for _, cells in rows))]
                lines += ["", *indented(table, width, ["", *colours])]
    return "\n".join([*lines, "", *_wrapped(_precision(outcomes), width)])


def _wrapped(text: str, width: int, first: str = "", hanging: str = "") -> list[str]:
    return textwrap.wrap(visible(text), width, initial_indent=first, subsequent_indent=hanging)


def to_markdown(scenario: Scenario, outcomes: Sequence[SloOutcome]) -> str:
    """The outcomes as Markdown: a heading per spec, a table per SLO."""
    parts = [f"**{escape_markdown(_headline(scenario))}**"]
    for spec, found in _by_spec(outcomes):
        parts.append(f"### {escape_markdown(spec.engine_id)}\n\n{escape_markdown(_traffic(found).capitalize())}.")
        for outcome in found:
            slo = outcome.slo
            parts.append(f"**{escape_markdown(slo.slo_id)}**: {escape_markdown(slo.promise)}.")
            parts.append(escape_markdown(_budget(outcome)))
            rows = [_HEADS, ("---",) * len(_HEADS), *(cells for _, cells in _rows(scenario, outcome))]
            if len(rows) > 2:
                parts.append("\n".join(_markdown_row(row) for row in rows))
    parts.append(escape_markdown(_precision(outcomes)))
    return "\n".join(visible(line) for line in "\n\n".join(parts).split("\n"))


def to_json(scenario: Scenario, outcomes: Sequence[SloOutcome]) -> str:
    """The outcomes as one JSON document: durations in seconds from the start, ratios 0 to 1."""
    document = {
        "schema": SCHEMA,
        "scenario": {
            "phases": [
                {"badRatio": _number(phase.bad_ratio), "duration": _number(phase.duration.seconds)}
                for phase in scenario.phases
            ],
            "duration": _number(scenario.duration.seconds),
            "alreadySpent": _number(scenario.already_spent),
        },
        "slos": [_slo_json(scenario, outcome) for outcome in outcomes],
    }
    return json_text(document)


def _by_spec(outcomes: Sequence[SloOutcome]) -> Iterator[tuple[Spec, list[SloOutcome]]]:
    for _, group in itertools.groupby(outcomes, key=lambda outcome: id(outcome.spec)):
        found = list(group)
        yield found[0].spec, found


def _headline(scenario: Scenario) -> str:
    """`30% of all events bad for 20m, then 2% for 3h, after a long time without a bad one`."""
    first, *rest = scenario.phases
    text = f"{percent_text(first.bad_ratio)} of all events bad for {first.duration}"
    text += "".join(f", then {percent_text(phase.bad_ratio)} for {phase.duration}" for phase in rest)
    text += ", after a long time without a bad one"
    if scenario.already_spent:
        text += f"; {percent_text(scenario.already_spent)} of the budget was spent before"
    return text


def _traffic(outcomes: Sequence[SloOutcome]) -> str:
    """The traffic of a spec; of slices of time there are as many as fit into it, whatever the traffic."""
    outcome = next((item for item in outcomes if item.rate_origin is not RateOrigin.SLICES), None)
    if outcome is None:
        return "slices of time, whatever the traffic"
    if outcome.rate_origin is RateOrigin.UNLIMITED:
        return (
            "traffic so high that no guard of bad events holds an alert back "
            "(neither --rate nor traffic.requestsPerHour says less)"
        )
    assert outcome.requests_per_second is not None
    per_second = outcome.requests_per_second
    rate = f"{_amount(per_second)}/s" if per_second >= 1 else f"{_amount(per_second * 3600)}/h"
    origin = "--rate" if outcome.rate_origin is RateOrigin.OPTION else "traffic.requestsPerHour"
    groups = f", for each {' and '.join(outcome.slo.groups.labels)}" if outcome.slo.groups.labels else ""
    return f"traffic of {rate} ({origin}){groups}"


def _budget(outcome: SloOutcome) -> str:
    slo = outcome.slo
    text = f"The budget of {slo.period.name} is {_duration(outcome.budget_seconds)} of total failure"
    if outcome.budget_events is not None:
        text += f", or {_amount(outcome.budget_events)} {slo.counts}"
    text += f"; at the end {_percent(outcome.spent)} of it is spent."
    return text if outcome.alerts else f"{text} Recorded only (mode {slo.mode}): there are no alerts."


def _precision(outcomes: Sequence[SloOutcome]) -> str:
    steps = outcomes[0].slo.steps
    slices = [item.slo.measurement.window for item in outcomes if isinstance(item.slo.measurement, Slices)]
    slack = f", a slice of time up to {max(slices)}" if slices else ""
    return (
        "Times count from the start, which meets an evaluation; another start moves them by less than one step "
        f"({Duration.of(steps.fast)} where the long window is at most 1h, else {Duration.of(steps.slow)}), and scraping "
        f"adds up to {Duration.of(steps.scrape)}{slack}. Spent is the share of the budget when the alert fires."
    )


def _rows(scenario: Scenario, outcome: SloOutcome) -> list[tuple[AlertOutcome, tuple[str, ...]]]:
    """A row for each time that an alert fires, and for each alert that never does."""
    found: list[tuple[AlertOutcome, tuple[str, ...]]] = []
    for alert in outcome.alerts:
        name = alert.tier.name if alert.tier is not None else "budget"
        windows = f"{alert.tier.long.name}/{alert.tier.short.name}" if alert.tier else outcome.slo.period.name
        head, note = (name, windows, alert.severity), _note(outcome, alert)
        if not alert.episodes:
            found.append((alert, (*head, "never", "-", "-", "-", note)))
        for episode in alert.episodes:
            found.append((alert, (*head, *_times(scenario, episode), note)))
            head, note = ("", "", ""), "again"
    return found


def _times(scenario: Scenario, episode: Episode) -> tuple[str, ...]:
    after = Decimal(episode.clears) - scenario.duration.seconds
    return (
        str(Duration.of(episode.fires)),
        str(Duration.of(episode.clears)),
        str(Duration(after)) if after >= 0 else "-",
        _percent(episode.budget_spent),
    )


def _note(outcome: SloOutcome, alert: AlertOutcome) -> str:
    if alert.never is not None:
        return _why_never(outcome, alert)
    if alert.tier is None:
        return ""
    parts = []
    if alert.theory is not None:
        if abs(alert.episodes[0].fires - alert.theory.detection) <= alert.step:
            return ""
        parts.append(f"theory {_duration(alert.theory.detection)}")
    if "guard" in alert.held_back_by:
        parts.append(f"guard of over {alert.tier.guard} bad {outcome.slo.counts}")
    if "for" in alert.held_back_by:
        parts.append(f"waits {Duration.of(alert.hold)}")
    return ", ".join(parts)


def _why_never(outcome: SloOutcome, alert: AlertOutcome) -> str:
    assert alert.never is not None
    reason, reached, needed = alert.never
    share = _percent(reached, ROUND_FLOOR)
    if reason is Reason.BUDGET:
        return f"{_percent(reached)} of the budget is spent"
    if reason is Reason.HOLD:
        return f"over for {_duration(reached)} only, waits {_duration(needed)}"
    assert alert.tier is not None  # the other reasons are those of tiers
    over = f"fires over {texts.error_ratio(outcome.slo, alert.tier)}"
    if reason is Reason.RATIO:
        return f"{share} bad at most, {over}"
    if reason is Reason.GUARD:
        return f"{_amount(reached)} bad {outcome.slo.counts} in {alert.tier.long.name}, fires over {_amount(needed)}"
    if reason is Reason.SHORT_WINDOW:
        return f"{alert.tier.short.name} is at {share} when {alert.tier.long.name} is over, {over}"
    text = f"too short: {share} of {alert.tier.long.name} bad, {over}"
    return f"{text}, after {_duration(alert.theory.detection)}" if alert.theory is not None else text


def _colour(alert: AlertOutcome) -> str:
    severity = alert.tier.severity if alert.tier is not None else "ticket"
    return SEVERITY_COLOURS.get(severity, "") if alert.episodes else ""


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell if cell == "---" else escape_markdown(cell) for cell in cells) + " |"


def _percent(ratio: Fraction, rounding: str = ROUND_HALF_EVEN) -> str:
    """Two decimals of a percentage; of less than that two digits, since what is small is not nothing."""
    percent = Decimal(ratio.numerator) * 100 / Decimal(ratio.denominator)
    small = percent and percent < Decimal("0.01")
    place = Decimal(1).scaleb(percent.adjusted() - 1) if small else Decimal("0.01")
    return f"{decimal_text(percent.quantize(place, rounding))}%"


def _duration(seconds: Fraction) -> str:
    """To a tenth of a second, and exact below one."""
    exact = Decimal(seconds.numerator) / Decimal(seconds.denominator)
    return str(Duration(round(exact, 1 if exact >= 1 else 3)))


def _amount(number: Fraction) -> str:
    """A count: whole from a hundred on, else two decimals."""
    exact = Decimal(number.numerator) / Decimal(number.denominator)
    return texts.rounded(exact, 0 if exact >= 100 else 2)


def _slo_json(scenario: Scenario, outcome: SloOutcome) -> dict[str, Any]:
    slo = outcome.slo
    return {
        "path": outcome.spec.path,
        "service": slo.service,
        "spec": outcome.spec.name,
        "slo": slo.name,
        "sloId": slo.slo_id,
        "promise": slo.promise,
        "target": _number(slo.target),
        "period": _number(slo.period.length.seconds),
        "mode": slo.mode,
        "traffic": {
            "from": outcome.rate_origin.value,
            "eventsPerSecond": _optional(outcome.events_per_second),
            "counts": slo.counts,
        },
        "budget": {
            "totalFailure": _number(outcome.budget_seconds),
            "events": _optional(outcome.budget_events),
            "spentBefore": _number(scenario.already_spent),
            "spentAtEnd": _number(outcome.spent),
        },
        "alerts": [_alert_json(scenario, outcome, alert) for alert in outcome.alerts],
    }


def _alert_json(scenario: Scenario, outcome: SloOutcome, alert: AlertOutcome) -> dict[str, Any]:
    end = Fraction(scenario.duration.seconds)
    return {
        "alert": alert.alert,
        "severity": alert.severity,
        **(_tier_json(outcome, alert.tier) if alert.tier is not None else {}),
        "for": alert.hold,
        "keepFiringFor": alert.keep,
        "evaluationStep": alert.step,
        "episodes": [
            {
                "fires": episode.fires,
                "clears": episode.clears,
                "clearsAfterEnd": _number(episode.clears - end),
                "budgetSpent": _number(episode.budget_spent),
            }
            for episode in alert.episodes
        ],
        "heldBackBy": list(alert.held_back_by),
        "never": None
        if alert.never is None
        else {
            "reason": alert.never.reason.value,
            "reached": _number(alert.never.reached),
            "needed": _number(alert.never.needed),
            "text": _why_never(outcome, alert),
        },
        "theory": None
        if alert.theory is None
        else {"detection": _number(alert.theory.detection), "reset": _number(alert.theory.reset)},
    }


def _tier_json(outcome: SloOutcome, tier: Tier) -> dict[str, Any]:
    return {
        "tier": tier.name,
        "factor": _number(tier.factor),
        "longWindow": _number(tier.long.length.seconds),
        "shortWindow": _number(tier.short.length.seconds),
        "errorRatio": _number(tier.factor * outcome.slo.budget),
        "minBadEvents": tier.guard,
    }


def _optional(number: Fraction | None) -> float | int | None:
    return None if number is None else _number(number)


def _number(number: Fraction | Decimal) -> float | int:
    return int(number) if number == int(number) else float(number)
