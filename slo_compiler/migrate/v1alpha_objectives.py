"""What an objective of an `openslo/v1alpha` SLO measures, as the indicator of `openslo/v1`; and the objective that is left."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from slo_compiler.diagnostics.codes import Code
from slo_compiler.load.source_map import Plain
from slo_compiler.migrate.fields import Fields
from slo_compiler.migrate.parts import Job, has_window, text_of
from slo_compiler.migrate.tree import Field, Kept, Mapping, Value, copy

_RATIOS = ("ratioMetrics", "ratioMetric", "countMetrics")
_EXAMPLE_METRIC = "{source: prometheus, queryType: promql, query: ...}"


def ratio_of(objective: Fields) -> str | None:
    """The field of an objective that holds its ratio, under one of the names that it has had."""
    return next((name for name in _RATIOS if name in objective.entries), None)


def indicator_of(spec: Fields, objective: Fields, name: Value | None, job: Job) -> tuple[Mapping | None, str | None]:
    """The one indicator of a v1 SLO: the ratio of this objective, or the threshold metric of all of them."""
    indicator, ratio = spec.inner("indicator"), ratio_of(objective)
    threshold = indicator.inner("thresholdMetric") if indicator is not None else None
    made, yields = Mapping(), None
    if indicator is not None and ratio is not None:
        message = f"{objective.path(ratio)} beside spec.indicator: an SLO has one indicator"
        job.notices.error(Code.SLO203, objective.entries[ratio].value, message, "remove one of the two")
        return None, None
    if ratio is not None:
        inner = objective.inner(ratio)
        metric, yields = (None, None) if inner is None else _ratio(inner, job)
        made.put("ratioMetric", metric, *objective.entry(ratio))
    elif threshold is not None and indicator is not None:
        made.put("thresholdMetric", _metric(threshold, job), *indicator.entry("thresholdMetric"))
    else:
        message = f"{objective.where} has nothing to measure: neither ratioMetrics nor spec.indicator.thresholdMetric"
        hint = f"ratioMetrics: {{good: {_EXAMPLE_METRIC}, total: {_EXAMPLE_METRIC}}}"
        job.notices.error(Code.SLO202, objective.node, message, hint)
    if indicator is not None:
        indicator.rest()
    if not made or name is None:
        return None, None
    return Mapping([Field("metadata", Mapping([Field("name", text_of(name))])), Field("spec", made)]), yields


def _ratio(ratio: Fields, job: Job) -> tuple[Mapping | None, str | None]:
    flag = next((key for key in ("incremental", "counter") if key in ratio.entries), None)
    counter = ratio.flag(flag) if flag is not None else None
    sides = {key: ratio.inner(key) for key in ("good", "bad", "total")}
    part_is = [key for key in ("good", "bad") if sides[key] is not None]
    total = sides["total"]
    ratio.rest(("incremental",))
    if total is None or len(part_is) != 1:
        message = f"{ratio.where} needs total, and one of good and bad"
        job.notices.error(Code.SLO202, ratio.node, message, f"good: {_EXAMPLE_METRIC}, total: {_EXAMPLE_METRIC}")
        return None, None
    part = sides[part_is[0]]
    assert part is not None
    made = Mapping()
    for key in ratio.entries:
        side = sides.get(key)
        if key == flag and counter is not None:
            made.put("counter", Plain("true" if counter else "false"), *ratio.entry(key))
        elif side is not None:
            made.put(key, _metric(side, job), *ratio.entry(key))
    queries = [side.entries.get("query") for side in (part, total)]
    if not all(_is_prometheus(side) for side in (part, total)):
        return made, None
    first, second = queries
    if first is None or second is None or not (has_window(first) and has_window(second)):
        return made, None
    return made, job.yields(first, second, first)


def _is_prometheus(metric: Fields) -> bool:
    """Sloth's own name for a source is `sloth`; it stands for Prometheus."""
    source = metric.entries.get("source")
    return source is not None and str(source.value.value).lower() in ("prometheus", "sloth")


def _metric(metric: Fields, job: Job) -> Mapping:
    source, query = metric.text("source", "source: prometheus"), metric.text("query", "query: ...")
    query_type = metric.text("queryType")
    details = metric.inner("metadata")
    metric.rest()
    made, spec = Mapping(), Mapping()
    if source is not None:
        made.put("type", Plain("Prometheus") if _is_prometheus(metric) else Kept(source.value), source)
    said = (
        query_type is not None and str(query_type.value.value).lower() in ("promql", "query") and _is_prometheus(metric)
    )
    if query_type is not None and not said:
        spec.put("queryType", Kept(query_type.value), query_type)
    if query is not None:
        spec.put("query", Kept(query.value), query, *(metric.entry("queryType") if said else ()))
    if details is not None:
        spec.put("metadata", copy(details.node), *metric.entry("metadata"))
    made.put("spec", spec)
    return Mapping([Field("metricSource", made)])


def objective_of(objective: Fields, method: str, job: Job, *, measures: str) -> Mapping:
    """What is left of an objective once its ratio is the indicator.

    Args:
        measures: `ratio`, `threshold`, or nothing.
    """
    target = _share(objective, "target", job, example="target: 0.99")
    slice_target = _share(objective, "timeSliceTarget", job)
    display_name, slice_window = objective.text("displayName"), objective.text("timeSliceWindow")
    values: dict[str, Value | None] = {
        "displayName": Kept(display_name.value) if display_name is not None else None,
        "target": target,
    }
    if measures == "ratio":
        for name in ("op", "value"):
            objective.drop(name, "a ratio is compared with nothing but its target", f"remove {name}")
    else:
        for name, example in (("op", "op: lte"), ("value", "value: 200")):
            entry = objective.text(name, example if measures else "")
            values[name] = Kept(entry.value, as_text=False) if entry is not None else None
    if method == "Timeslices":
        values["timeSliceTarget"] = slice_target
        values["timeSliceWindow"] = Plain("1m") if slice_window is None else Kept(slice_window.value)
        if slice_target is None and objective.take("timeSliceTarget") is None:
            message = f"{objective.path('timeSliceTarget')} is missing"
            job.notices.error(Code.SLO202, objective.node, message, "timeSliceTarget: 0.95")
        if slice_window is None:
            message = f"{objective.path('timeSliceWindow')}: 1m is added: v1alpha did not say how long a slice is"
            job.notices.notice(objective.node, message, "timeSliceWindow: 5m, if that is what was meant")
    else:
        for name in ("timeSliceTarget", "timeSliceWindow"):
            objective.drop(name, f"it has no meaning for {method}", f"remove {name}")
    for name in _RATIOS:
        objective.take(name)
    objective.rest()
    made = Mapping()
    for key in [*(key for key in objective.entries if key in values), *values]:
        if all(made_field.key != key for made_field in made.fields):
            made.put(key, values[key], *objective.entry(key))
    return made


def _share(objective: Fields, name: str, job: Job, example: str = "") -> Value | None:
    """A ratio: `target` under 1, `timeSliceTarget` over 0."""
    entry = objective.text(name, example)
    if entry is None:
        return None
    text = str(entry.value.value)
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    is_target = name == "target"
    if number.is_finite() and (0 <= number < 1 if is_target else 0 < number <= 1):
        return Plain(text)
    wanted = "at least 0 and under 1" if is_target else "over 0 and at most 1"
    message = f"{objective.path(name)}: {text!r} is no share {wanted}"
    job.notices.error(Code.SLO203, entry.value, message, f"{name}: 0.99")
    return None
