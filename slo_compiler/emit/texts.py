"""The words on alerts: what the page says at 3 a.m., with the numbers of its own SLO."""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.ir import Slices, Slo, Tier
from slo_compiler.promql.build import recorded, string
from slo_compiler.units import Duration, decimal_text, percent_text


def template_text(text: str) -> str:
    """Text of a spec inside a Go template: braces in it stay braces."""
    return text.replace("{{", '{{ "{{" }}') if "{{" in text else text


def rounded(value: Decimal, digits: int) -> str:
    """A number with so many decimals at most, without trailing zeros."""
    return decimal_text(round(value, digits))


def error_ratio(slo: Slo, tier: Tier) -> str:
    """The share of bad events at which a tier fires, `72%`."""
    ratio = tier.factor * slo.budget
    return percent_text(round(ratio, 6) or ratio)


def detection_seconds(slo: Slo, tier: Tier) -> Decimal:
    """When a total failure is detected: D = L f b / e with e = 1 (SRE Workbook, chapter 5).

    Slices come at a known rate, so that for them it is known how long the guard of bad ones takes.
    """
    seconds = tier.long.length.seconds * tier.factor * slo.budget
    if isinstance(slo.measurement, Slices):
        return max(seconds, tier.guard * slo.measurement.window.seconds)
    return seconds


def detection(slo: Slo, tier: Tier) -> str:
    """When a total failure is detected, `after 43m12s`."""
    seconds = round(detection_seconds(slo, tier))
    return f"after {Duration(Decimal(seconds))}" if seconds else "within 1s"


def budget_spent(slo: Slo, tier: Tier) -> str:
    """The share of the period's budget that is spent at detection: D / (b period), which is L f / period."""
    share = detection_seconds(slo, tier) / slo.budget / slo.period.length.seconds
    return f"{rounded(share * 100, 2)}%"


def anchor(alert: str) -> str:
    """What follows `#` in the address of an alert's part of a runbook: what hosts of Markdown make of its heading."""
    return alert.lower()


def subject(slo: Slo) -> str:
    """What an alert is about: the SLO, and the group where it has groups: `chat-ttft, team "{{ $labels.team }}"`."""
    return ", ".join([slo.name, *(f'{label} "{{{{ $labels.{label} }}}}"' for label in slo.groups.labels)])


def own_series(slo: Slo, name: str) -> str:
    """A recorded series of the SLO as the query on an alert: the one of the group that it is about."""
    text = template_text(recorded(name, slo.slo_id))
    own = "".join(f',{label}={{{{ $labels.{label} | printf "%q" }}}}' for label in slo.groups.labels)
    return f"{text.removesuffix('}')}{own}}}" if own else text


def queried(series: str, label: str) -> str:
    """The label of a series as it is when the alert's texts are made, nothing where the series is not there."""
    return f"{{{{ with query {string(series)} }}}}{{{{ . | first | label {string(label)} }}}}{{{{ end }}}}"


def burn_summary(slo: Slo, tier: Tier) -> str:
    """The headline of a burn-rate alert."""
    pace = "faster than it may" if tier.factor == 1 else f"over {decimal_text(tier.factor)} times too fast"
    return f"{subject(slo)}: the error budget ({template_text(slo.title)}) is spent {pace}"


def burn_description(slo: Slo, tier: Tier) -> str:
    """Which tier, which numbers, what was promised."""
    return (
        f"Promise: {template_text(slo.promise)}, over {slo.period.name}. "
        f"Over {tier.long.name} and over {tier.short.name} more than "
        f"{error_ratio(slo, tier)} of the {slo.counts} were bad "
        '(burn rate now {{ $value | printf "%.3g" }}, '
        f"alert over {decimal_text(tier.factor)}). "
        f"A total failure is detected {detection(slo, tier)}; "
        f"at detection {budget_spent(slo, tier)} of the period's budget is spent."
    )
