"""OpenSLO's `SLI`: what is measured, as a document of its own or written into an SLO."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.documents.judged import ABSENT, Fault, Notice, absent, either_of, given
from slo_compiler.documents.openslo.metadata import Metadata
from slo_compiler.documents.openslo.parts import Bool, Description, NonEmpty, Part


class MetricSource(Part):
    """A query and where it runs.

    Attributes:
        metric_source_ref: the name of a DataSource.
        type: such as Prometheus; by default that of the DataSource.
        spec: free-form; `query` and its alias `promql` are read.
    """

    metric_source_ref: NonEmpty | None = None
    type: NonEmpty | None = None
    spec: Annotated[dict[str, Any], Field(min_length=1)]


class Metric(Part):
    """One side of a ratio, or a value."""

    metric_source: MetricSource


class RatioMetric(Part):
    """Good or bad events over total events; or, as `raw`, their ratio.

    Attributes:
        counter: whether the queries are counters, which only ever rise.
        raw_type: whether `raw` is the share of good or of bad events.
    """

    model_config = ConfigDict(
        json_schema_extra=either_of(
            {"allOf": [given("raw", "rawType"), absent("total", "good", "bad")]},
            {"allOf": [given("total", "good"), absent("raw", "bad")]},
            {"allOf": [given("total", "bad"), absent("raw", "good")]},
        )
    )

    counter: Bool = False
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw: Metric | None = None
    raw_type: Literal["success", "failure"] | None = None

    def faults(self) -> Iterator[Fault]:
        """Each form has its own fields; the first that does not fit is told."""
        given = {name: getattr(self, name) is not None for name in ("good", "bad", "total", "raw")}
        if given["raw"]:
            beside = [name for name in ("total", "good", "bad") if given[name]]
            if beside:
                yield Fault((), f"raw excludes {' and '.join(beside)}", "give total with good or bad, or raw alone")
            elif self.raw_type is None:
                yield Fault((), "rawType is missing", "rawType: success, or failure", ABSENT)
        elif not given["total"]:
            yield Fault((), "total is missing", "total: {metricSource: {type: Prometheus, spec: {query: ...}}}", ABSENT)
        elif given["good"] and given["bad"]:
            yield Fault((), "good and bad exclude each other", "keep one: the other is the rest of total")
        elif not given["good"] and not given["bad"]:
            hint = "good: {metricSource: {type: Prometheus, spec: {query: ...}}}"
            yield Fault((), "one of good and bad is missing", hint, ABSENT)

    def notices(self) -> Iterator[Notice]:
        """`rawType` says nothing about counted events."""
        if self.raw is None and self.raw_type is not None:
            message = "rawType has no effect without raw"
            yield Notice(Code.SLO203, Severity.WARNING, ("rawType",), message, "remove rawType", at_key=True)


class IndicatorSpec(Part):
    """What is measured: the ratio of events, or a value that is compared with `op` and `value` of the objective."""

    model_config = ConfigDict(json_schema_extra=either_of(given("thresholdMetric"), given("ratioMetric")))

    description: Description | None = None
    threshold_metric: Metric | None = None
    ratio_metric: RatioMetric | None = None

    def faults(self) -> Iterator[Fault]:
        """Exactly one of the two forms."""
        if self.threshold_metric is not None and self.ratio_metric is not None:
            hint = "keep ratioMetric: it counts events"
            yield Fault((), "thresholdMetric and ratioMetric exclude each other", hint)
        if self.threshold_metric is None and self.ratio_metric is None:
            hint = "ratioMetric: {counter: true, good: ..., total: ...}"
            yield Fault((), "one of ratioMetric and thresholdMetric is missing", hint, ABSENT)


class Indicator(Part):
    """An SLI written into an SLO."""

    metadata: Metadata
    spec: IndicatorSpec


class SLI(Part):
    """An indicator that SLOs name by `indicatorRef`."""

    api_version: Literal["openslo/v1"]
    kind: Literal["SLI"]
    metadata: Metadata
    spec: IndicatorSpec
