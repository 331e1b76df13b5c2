"""Sloth's `AlertWindows` to a `BurnRatePolicy`.

A window's factor is the burn rate that spends its share of the budget: share x period / long window (slok/sloth,
internal/alert/window.go, getBurnRateFactor; Google SRE Workbook, chapter 5).
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.policy import BurnRatePolicy
from slo_compiler.load.source_map import Plain
from slo_compiler.migrate.fields import Fields
from slo_compiler.migrate.parts import Job, document, text_of
from slo_compiler.migrate.source import Entry
from slo_compiler.migrate.tree import Item, Items, Mapping
from slo_compiler.resolve.policies import DEFAULT_POLICY, load_builtin_policy
from slo_compiler.resolve.windows import steps_of, window_of
from slo_compiler.units import Duration, decimal_text

# Prometheus's durations: also years, which ours lack.
_YEARS = re.compile(r"([0-9]{1,3})y(.*)")
_TYPICAL_SCRAPE = Duration.of(15)
_FACTOR_DIGITS = Decimal("0.0001")


def migrate_windows(root: Fields, job: Job) -> list[Mapping]:
    """An `AlertWindows` as a policy of four tiers."""
    heads = [entry for name in ("apiVersion", "kind") if (entry := root.text(name)) is not None]
    metadata = root.inner("metadata")
    spec = root.inner("spec", "spec: {sloPeriod: 30d, page: {...}, ticket: {...}}")
    root.rest()
    if spec is None:
        return []
    entry = spec.text("sloPeriod", "sloPeriod: 30d")
    period = _duration(entry, spec.path("sloPeriod"), job) if entry is not None else None
    tiers = Items()
    for severity in ("page", "ticket"):
        level = spec.inner(severity, f"{severity}: {{quick: {{...}}, slow: {{...}}}}")
        for speed in ("quick", "slow"):
            window = None if level is None else level.inner(speed, f"{speed}: {{errorBudgetPercent: 2, ...}}")
            tier = None if window is None else _tier(window, f"{severity}-{speed}", severity, period, job)
            if tier is not None and level is not None:
                origins = (*(spec.entry(severity) if speed == "quick" else ()), *level.entry(speed))
                tiers.items.append(Item(tier, origins))
        if level is not None:
            level.rest()
    spec.rest()
    if period is None or entry is None:
        return []
    new_metadata = _metadata(metadata, period, job)
    new_spec = Mapping()
    new_spec.put("source", f"AlertWindows of Sloth for a period of {period}")
    name = text_of(new_metadata.fields[0].value) if new_metadata else ""
    message = f"Sloth took these windows for every SLO over {period}; here a spec or the configuration names the policy"
    job.notices.notice(entry.value, message, f"defaults: {{policy: {name}}} in slo-compiler.yaml")
    new_spec.put("factorsHoldFrom", Plain(str(period)), entry)
    new_spec.put("tiers", tiers)
    new = document("slo-compiler/v1", BurnRatePolicy.__name__, new_metadata, new_spec, *heads[:1])
    new.fields[1].origins = tuple(heads[1:])
    new.fields[2].origins, new.fields[3].origins = root.entry("metadata"), root.entry("spec")
    return [new]


def _metadata(metadata: Fields | None, period: Duration, job: Job) -> Mapping:
    made = Mapping()
    name = metadata.text("name") if metadata is not None else None
    if metadata is None or name is None:
        made.put("name", f"sloth-{period}")
    else:
        made.put("name", job.name(name, metadata.path("name")), name)
        made.put("displayName", job.display_name(metadata), *metadata.entry("displayName"))
        made.put("labels", job.labels([metadata.inner("labels")], "sloth_"), *metadata.entry("labels"))
        made.put("annotations", job.annotations(metadata.inner("annotations")), *metadata.entry("annotations"))
    if metadata is not None:
        metadata.rest()
    return made


def _tier(window: Fields, name: str, severity: str, period: Duration | None, job: Job) -> Mapping | None:
    share_entry = window.text("errorBudgetPercent", "errorBudgetPercent: 2")
    share = _percent(share_entry, window.path("errorBudgetPercent"), job) if share_entry is not None else None
    lengths: dict[str, tuple[Duration | None, tuple[Entry, ...]]] = {}
    for key, example in (("longWindow", "longWindow: 1h"), ("shortWindow", "shortWindow: 5m")):
        entry = window.text(key, example)
        length = _window(entry, window.path(key), job) if entry is not None else None
        lengths[key] = (length, window.entry(key))
    window.rest()
    long, short = lengths["longWindow"][0], lengths["shortWindow"][0]
    if share is None or long is None or short is None or period is None:
        return None
    if short >= long:
        message = f"{window.path('shortWindow')}: {short} is no shorter than the long window of {long}"
        job.notices.error(Code.SLO203, lengths["shortWindow"][1][0].value, message, "a twelfth of it is usual")
        return None
    factor = (share / 100 * period.seconds / long.seconds).quantize(_FACTOR_DIGITS, ROUND_HALF_EVEN)
    if factor <= 0:
        message = f"{window.where}: {share}% of {period} over {long} is a burn rate of nothing"
        job.notices.error(Code.SLO203, window.node, message, "errorBudgetPercent: 2")
        return None
    made = Mapping()
    made.put("name", name)
    made.put("factor", Plain(decimal_text(factor)))
    made.put("share", Plain(f"{decimal_text(share)}%"), *window.entry("errorBudgetPercent"))
    for key, (length, origins) in lengths.items():
        made.put(key, Plain(str(length)), *origins)
    made.put("severity", severity)
    return made


def _percent(entry: Entry, path: str, job: Job) -> Decimal | None:
    text = str(entry.value.value)
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_finite() and 0 < number <= 100:
        return number
    job.notices.error(Code.SLO203, entry.value, f"{path}: {text!r} is no share of the budget", "errorBudgetPercent: 2")
    return None


def _duration(entry: Entry, path: str, job: Job) -> Duration | None:
    text = str(entry.value.value)
    years = _YEARS.fullmatch(text)
    try:
        if years is None:
            return Duration.parse(text)
        rest = Duration.parse(years[2]).seconds if years[2] else Decimal(0)
        return Duration(Decimal(years[1]) * 365 * 86400 + rest)
    except ValueError as fault:
        job.notices.error(Code.SLO203, entry.value, f"{path}: {fault}", "30d")
        return None


def _window(entry: Entry, path: str, job: Job) -> Duration | None:
    length = _duration(entry, path, job)
    if length is None:
        return None
    try:
        window_of(length, steps_of(load_builtin_policy(DEFAULT_POLICY), _TYPICAL_SCRAPE))
    except ValueError as fault:
        job.notices.error(Code.SLO203, entry.value, f"{path}: {fault}", "5m, 30m, 1h, 6h or 3d")
        return None
    return length
