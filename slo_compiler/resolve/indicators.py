"""An OpenSLO indicator and an objective of it to a measurement: counters, queries, or slices of time of either."""

from __future__ import annotations

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.openslo.parts import Shorthand
from slo_compiler.documents.openslo.sli import IndicatorSpec, Metric, MetricSource, RatioMetric
from slo_compiler.documents.openslo.slo import Objective, bound_faults, idle_bounds
from slo_compiler.ir import Counters, Matcher, Measurement, Queries, Selector, Slices, Value
from slo_compiler.load.source_map import Path
from slo_compiler.promql.build import selector as selector_text
from slo_compiler.promql.selectors import (
    NotASelector,
    NotPromql,
    bucket_of_quantile,
    check_query,
    has_placeholder,
    normalise_query,
    parse_counter,
    query_yields,
    rate_of_selector,
    rate_template,
)
from slo_compiler.resolve.annotations import read_annotations
from slo_compiler.resolve.definitions import Definitions
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.references import Located, find_data_source

_COUNTED = "Prometheus"
_OPERATORS = {"lte": "<=", "gte": ">=", "lt": "<", "gt": ">"}
_FORMS = (
    'query: sum(rate(requests_total[{{.window}}])), or a selector such as requests_total{app="x"} with counter: true'
)
_QUERY_KEYS = ("query", "promql")


class IndicatorReader:
    """Reads one indicator for the objectives of one SLO.

    Args:
        method: OpenSLO's budgeting method.
        yields: what the SLO says its queries yield; the indicator's own annotation goes before it.
        findings: of the SLO's document.
    """

    def __init__(
        self, indicator: Located[IndicatorSpec], method: str, yields: str | None, findings: Findings, known: Definitions
    ) -> None:
        self.indicator = indicator
        self.method = method
        own = read_annotations(indicator.metadata, "SLI", (*indicator.path[:-1], "metadata"), indicator.findings)
        self.yields = own.get("query-yields") or yields
        self.findings = findings
        self.known = known

    def read(self, objective: Objective, path: Path) -> Measurement | None:
        """What is measured for an objective; None where it cannot be compiled, which is a finding.

        Args:
            path: where the objective stands.
        """
        spec = self.indicator.value
        if spec.ratio_metric is not None:
            for notice in idle_bounds(objective, path):
                self.findings.say(notice)
            return self._of_ratio(spec.ratio_metric, objective)
        assert spec.threshold_metric is not None  # the model has one of the two
        return self._of_value(spec.threshold_metric, objective, path)

    def _of_ratio(self, ratio: RatioMetric, objective: Objective) -> Measurement | None:
        counted = self._counted(ratio)
        if counted is None or self.method == "Occurrences":
            return counted
        target = objective.time_slice_target if self.method == "Timeslices" else None
        return Slices(counted, _window(objective).length, target)

    def _of_value(self, metric: Metric, objective: Objective, path: Path) -> Measurement | None:
        where: Path = (*self.indicator.path, "thresholdMetric")
        faults = list(bound_faults(objective, path))
        for fault in faults:  # of an indicator by reference, which the document's own judge does not see
            self.findings.fault(fault)
        found = self._query_of(metric.metric_source, (*where, "metricSource"))
        if faults or found is None:
            return None
        query, at = found
        try:
            check_query(query)
            bucket = bucket_of_quantile(query)
        except NotPromql as fault:
            self.indicator.findings.error(Code.SLO203, at, str(fault), "query: max(queue_depth)")
            return None
        if self.method != "Timeslices":
            self._refuse_value(where, bucket)
            return None
        assert objective.op is not None and objective.value is not None  # bound_faults has told
        return Slices(Value(query, _OPERATORS[objective.op], objective.value), _window(objective).length)

    def _refuse_value(self, where: Path, bucket: Selector | None) -> None:
        if self.method == "RatioTimeslices":
            message = "thresholdMetric under RatioTimeslices cannot be compiled: a value has no ratio"
            self.indicator.findings.error(Code.SLO206, where, message, "budgetingMethod: Timeslices")
            return
        message = "thresholdMetric under Occurrences cannot be compiled: a value is no event"
        hint = "ratioMetric: {counter: true, good: ..., total: ...}, or budgetingMethod: Timeslices"
        if bucket is not None:
            message += ", and a quantile of a histogram is no share of its events"
            hint = _ratio_of_buckets(bucket)
        self.indicator.findings.error(Code.SLO206, where, message, hint)

    def _counted(self, ratio: RatioMetric) -> Counters | Queries | None:
        findings, path = self.indicator.findings, (*self.indicator.path, "ratioMetric")
        if ratio.raw is not None:
            message = "raw cannot be compiled: a stored ratio has no events to count"
            findings.error(Code.SLO206, (*path, "raw"), message, "total: ..., with good: ... or bad: ...")
            return None
        part_is = "good" if ratio.good is not None else "bad"
        part = ratio.good if ratio.good is not None else ratio.bad
        assert part is not None and ratio.total is not None  # the model has both
        total_side = self._side(ratio.total, ratio.counter, (*path, "total", "metricSource"))
        part_side = self._side(part, ratio.counter, (*path, part_is, "metricSource"))
        if total_side is None or part_side is None:
            return None
        if isinstance(total_side, Selector) and isinstance(part_side, Selector):
            if total_side == part_side:
                message = f"{part_is} and total are the same series"
                hint = f"{part_is} must select a part of total"
                findings.not_compilable(Code.SLO203, (*path, part_is), message, hint)
                return None
            return Counters(total_side, part_side, part_is)
        message = (
            "the queries are no plain counters: an error series that is born above zero loses its first events, "
            "since rate cannot see them"
        )
        findings.info(Code.SLO505, path, message, _FORMS)
        (total, total_yields), (text, part_yields) = _as_query(total_side), _as_query(part_side)
        return Queries(total, text, part_is, total_yields, part_yields)

    def _side(self, metric: Metric, counter: bool, path: Path) -> Selector | tuple[str, str] | None:
        """One side of the ratio: a counter's selector, or a query and what it yields."""
        found = self._query_of(metric.metric_source, path)
        if found is None:
            return None
        query, at = found
        findings = self.indicator.findings
        try:
            if has_placeholder(query):
                return rate_of_selector(query) or self._yielding(query, at)
            if counter:
                return parse_counter(query)
            check_query(query)
        except NotPromql as fault:
            findings.error(Code.SLO203, at, str(fault), _FORMS)
            return None
        except NotASelector as fault:
            findings.not_compilable(Code.SLO203, at, str(fault), _FORMS)
            return None
        message = "the query has no [{{.window}}], and counter is not true"
        findings.not_compilable(Code.SLO203, at, message, _FORMS)
        return None

    def _yielding(self, query: str, path: Path) -> tuple[str, str] | None:
        found = self.yields or query_yields(query)
        if found is None:
            message = "it cannot be told whether the query yields events per second or events"
            hint = "annotations: {slo-compiler/query-yields: rate}, or increase"
            self.indicator.findings.not_compilable(Code.SLO203, path, message, hint)
            return None
        return query, found

    def _query_of(self, source: MetricSource, path: Path) -> tuple[str, Path] | None:
        """The query of a source that is Prometheus, and where it stands; None with a finding for any other."""
        findings = self.indicator.findings
        if not self._is_prometheus(source, path):
            return None
        given = [key for key in _QUERY_KEYS if source.spec.get(key) is not None]
        if len(given) != 1:
            message = "query and promql exclude each other" if given else "a Prometheus source needs a query"
            findings.not_compilable(Code.SLO202, (*path, "spec"), message, "keep one" if given else _FORMS)
            return None
        at: Path = (*path, "spec", given[0])
        text = source.spec[given[0]]
        if not isinstance(text, str):
            findings.not_compilable(Code.SLO203, at, f"{given[0]} must be text", _FORMS)
            return None
        return normalise_query(text), at

    def _is_prometheus(self, source: MetricSource, path: Path) -> bool:
        findings, reference = self.indicator.findings, source.metric_source_ref
        found = find_data_source(reference, self.known) if reference is not None else None
        if found is not None and source.type is not None and found.spec.type.lower() != source.type.lower():
            message = f"the type is {source.type}, but DataSource {reference} is {found.spec.type}"
            findings.not_compilable(Code.SLO203, (*path, "type"), message, f"type: {found.spec.type}")
            return False
        if source.type is None and reference is None:
            message = f"the source has neither type nor metricSourceRef: it is read as {_COUNTED}"
            findings.info(Code.SLO202, path, message, f"type: {_COUNTED}")
            return True
        if source.type is None and found is None:
            return False  # a reference to nothing is a finding already
        kind = source.type or (found.spec.type if found is not None else "")
        if kind.lower() == _COUNTED.lower():
            return True
        where: Path = (*path, "type") if source.type is not None else (*path, "metricSourceRef")
        message = f"a source of type {kind} cannot be compiled"
        findings.error(Code.SLO206, where, message, f"only {_COUNTED} is compiled")
        return False


def _ratio_of_buckets(bucket: Selector) -> str:
    """How to count what a quantile of a histogram is about: a hint."""
    others = tuple(matcher for matcher in bucket.matchers if matcher.label != "le")
    good = selector_text(Selector(bucket.name, (*others, Matcher("le", "=", "0.25"))))
    total = selector_text(Selector(f"{bucket.name.removesuffix('_bucket')}_count", others))
    return f"ratioMetric: counter: true, good: {good}, total: {total}, with the bucket that you promise"


def _as_query(side: Selector | tuple[str, str]) -> tuple[str, str]:
    if isinstance(side, Selector):
        return rate_template(side), "rate"
    return side


def _window(objective: Objective) -> Shorthand:
    assert objective.time_slice_window is not None  # the model asks for it under both methods
    return objective.time_slice_window
