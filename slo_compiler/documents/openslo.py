"""`openslo/v1` SLO with an inline ratio indicator, as OpenSLO and its Go SDK define it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from slo_compiler.documents.base import Model, PeriodText
from slo_compiler.documents.metadata import BoolText, Metadata


def _read_number(value: Any) -> Decimal:
    """A number as YAML writes it: text in quotes is not one."""
    if isinstance(value, Decimal):
        return value
    if type(value) is str or not isinstance(value, str):
        raise ValueError("expected a number without quotes; write a number such as 0.999")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{str(value)!r} is no number; write a number such as 0.999") from None
    if not number.is_finite():
        raise ValueError(f"{str(value)!r} is no finite number; write a number such as 0.999")
    return number


Number = Annotated[Decimal, BeforeValidator(_read_number, json_schema_input_type=float)]


class MetricSource(Model):
    """A query and where it runs. `spec` is free-form; `query` and its alias `promql` are read."""

    metric_source_ref: str | None = None
    type: str | None = None
    spec: Annotated[dict[str, Any], Field(min_length=1)]


class Metric(Model):
    """One side of a ratio."""

    metric_source: MetricSource


class RatioMetric(Model):
    """Good (or bad) events over total events."""

    counter: BoolText = False
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw: Metric | None = None
    raw_type: Literal["success", "failure"] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> RatioMetric:
        if self.raw is not None:
            if self.good or self.bad or self.total:
                raise ValueError("raw excludes good, bad and total; remove raw")
        elif self.total is None or (self.good is None) == (self.bad is None):
            raise ValueError("total, and one of good and bad, are needed; write good and total, or bad and total")
        return self


class IndicatorSpec(Model):
    """What is measured."""

    description: Annotated[str, Field(max_length=1050)] | None = None
    ratio_metric: RatioMetric | None = None
    threshold_metric: Metric | None = None


class Indicator(Model):
    """An inline SLI."""

    metadata: Metadata
    spec: IndicatorSpec


class TimeWindow(Model):
    """The SLO's period: `isRolling` is false unless it is said."""

    duration: PeriodText
    is_rolling: BoolText = False
    calendar: dict[str, Any] | None = None


class Objective(Model):
    """The share of good events that is promised: `target` as a ratio or `targetPercent`."""

    display_name: str | None = None
    target: Annotated[Number, Field(ge=0, lt=1)] | None = None
    target_percent: Annotated[Number, Field(ge=0, lt=100)] | None = None
    op: Literal["lte", "gte", "lt", "gt"] | None = None
    value: Number | None = None
    time_slice_target: Number | None = None
    time_slice_window: str | None = None
    composite_weight: Number | None = None
    indicator: Indicator | None = None
    indicator_ref: str | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Objective:
        if (self.target is None) == (self.target_percent is None):
            raise ValueError("one of target and targetPercent is needed; write target: 0.999")
        return self


class OpenSLOSpec(Model):
    """The promise."""

    NOT_COMPILED: ClassVar[dict[str, str]] = {}

    description: Annotated[str, Field(max_length=1050)] | None = None
    service: Annotated[str, Field(min_length=1)]
    indicator: Indicator | None = None
    indicator_ref: str | None = None
    budgeting_method: Literal["Occurrences", "Timeslices", "RatioTimeslices"]
    time_window: Annotated[list[TimeWindow], Field(min_length=1, max_length=1)]
    objectives: Annotated[list[Objective], Field(min_length=1)]
    alert_policies: list[dict[str, Any]] = Field(default_factory=list)


class OpenSLO(Model):
    """An `openslo/v1` document of kind SLO."""

    api_version: Literal["openslo/v1"]
    kind: Literal["SLO"]
    metadata: Metadata
    spec: OpenSLOSpec
