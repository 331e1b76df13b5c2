"""OpenSLO's `SLO`: one indicator or several, a period, and what is promised of them."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.documents.base import JsonSchema
from slo_compiler.documents.judged import ABSENT, Fault, JsonObject, Notice, absent, either_of, given
from slo_compiler.documents.openslo.alerts import AlertPolicyItem
from slo_compiler.documents.openslo.metadata import DNS_LABEL_SCHEMA, Metadata, is_dns_label, unusable_name
from slo_compiler.documents.openslo.parts import (
    Bool,
    Description,
    DurationShorthand,
    NonEmpty,
    Number,
    Part,
    Percent,
    Share,
    SliceWindow,
    Text,
)
from slo_compiler.documents.openslo.sli import Indicator
from slo_compiler.load.source_map import Path

OPERATORS = ("lte", "gte", "lt", "gt")
_START = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_START_SCHEMA = {"type": "string", "pattern": f"^{_START.pattern}$", "examples": ["2027-01-01 00:00:00"]}
_ZONE_SCHEMA = {"type": "string", "minLength": 1, "examples": ["Europe/Berlin", "America/New_York", "UTC"]}
_START_FORM = "write YYYY-MM-DD hh:mm:ss, such as 2027-01-01 00:00:00"


def _check_start(value: str) -> str:
    if not _START.fullmatch(value):
        raise ValueError(f"{str(value)!r} is no time of this form; {_START_FORM}")
    try:
        datetime.datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{str(value)!r} is on no calendar; {_START_FORM}") from None
    return value


def _check_zone(value: str) -> str:
    """A name of the IANA database, by the copy of this machine.

    Raises:
        ValueError: it has no such zone.
    """
    import zoneinfo  # few documents have a calendar

    try:
        zoneinfo.ZoneInfo("" if value in ("Local", "localtime") else value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise ValueError(f"{str(value)!r} is no time zone; write a name such as Europe/Berlin or UTC") from None
    return value


class Calendar(Part):
    """Where a calendar window begins: local time of a zone."""

    start_time: Annotated[Text, AfterValidator(_check_start), JsonSchema(_START_SCHEMA)]
    time_zone: Annotated[NonEmpty, AfterValidator(_check_zone), JsonSchema(_ZONE_SCHEMA)]


class TimeWindow(Part):
    """The SLO's period: a calendar one, unless `isRolling` is true."""

    model_config = ConfigDict(
        json_schema_extra=either_of(
            {"allOf": [given("isRolling"), {"properties": {"isRolling": {"const": True}}}, absent("calendar")]},
            {"allOf": [{"properties": {"isRolling": {"const": False}}}, given("calendar")]},
        )
    )

    duration: DurationShorthand
    is_rolling: Bool = False
    calendar: Calendar | None = None

    def faults(self) -> Iterator[Fault]:
        """A calendar belongs to a window that does not roll, and such a window needs one."""
        if self.is_rolling and self.calendar is not None:
            yield Fault(("calendar",), "a rolling window has no calendar", "remove calendar, or isRolling: true")
        if not self.is_rolling and self.calendar is None:
            message = "a window is rolling only if isRolling is true, and without it needs a calendar"
            yield Fault((), message, "isRolling: true", ABSENT)

    def notices(self) -> Iterator[Notice]:
        """A rolling month has no fixed length."""
        if self.is_rolling and self.duration.is_of_no_fixed_length:
            message = f"a rolling window of {self.duration} has no fixed length; it is read as {self.duration.length}"
            hint = f"duration: {self.duration.length}" + (", or 28d" if str(self.duration) == "1M" else "")
            yield Notice(Code.SLO203, Severity.WARNING, ("duration",), message, hint)


class Objective(Part):
    """What is promised.

    Attributes:
        target: the share of good events, from 0 to under 1.
        target_percent: the same in percent, from 0 to under 100.
        op: how the value of a thresholdMetric must stand to `value`: lte, gte, lt or gt.
        time_slice_target: the share of good events that makes a slice of time good.
        time_slice_window: the length of a slice; a number is minutes.
        indicator: of this objective alone, in a composite.
    """

    model_config = ConfigDict(
        json_schema_extra={
            **either_of(given("target"), given("targetPercent")),
            "not": given("indicator", "indicatorRef"),
        }
    )

    display_name: Text | None = None
    target: Share | None = None
    target_percent: Percent | None = None
    op: Text | None = None
    value: Number | None = None
    time_slice_target: Number | None = None
    time_slice_window: SliceWindow | None = None
    composite_weight: Number | None = None
    indicator: Indicator | None = None
    indicator_ref: NonEmpty | None = None

    def faults(self) -> Iterator[Fault]:
        """One target, and one indicator at the most."""
        if self.target is not None and self.target_percent is not None:
            yield Fault(("targetPercent",), "target and targetPercent exclude each other", "keep one of them")
        if self.target is None and self.target_percent is None:
            yield Fault((), "one of target and targetPercent is missing", "target: 0.999", ABSENT)
        if self.indicator is not None and self.indicator_ref is not None:
            yield Fault(("indicatorRef",), "indicator and indicatorRef exclude each other", "keep one of them")

    def notices(self) -> Iterator[Notice]:
        """A slice as a number, which only the specification takes."""
        if self.time_slice_window is not None and self.time_slice_window.bare:
            message = f"timeSliceWindow {self.time_slice_window.count} is read as minutes; other readers refuse it"
            hint = f"timeSliceWindow: {self.time_slice_window}"
            yield Notice(Code.SLO203, Severity.WARNING, ("timeSliceWindow",), message, hint)


def _rules_of_spec() -> JsonObject:
    """The rules between the fields of a spec, in words of JSON Schema."""
    own = {"anyOf": [given("indicator"), given("indicatorRef")]}

    def of_objectives(rule: JsonObject) -> JsonObject:
        return {"properties": {"objectives": {"items": rule}}}

    def where(method: str, rule: JsonObject) -> JsonObject:
        return {"if": {"properties": {"budgetingMethod": {"const": method}}}, "then": of_objectives(rule)}

    threshold = {"properties": {"indicator": {"properties": {"spec": given("thresholdMetric")}, "required": ["spec"]}}}
    slice_target = {"properties": {"timeSliceTarget": {"exclusiveMinimum": 0, "maximum": 1}}}
    bound = {"allOf": [given("op", "value"), {"properties": {"op": {"enum": list(OPERATORS)}}}]}
    weight = {"properties": {"compositeWeight": {"exclusiveMinimum": 0}}}
    return {
        **either_of(
            {"allOf": [given("indicator"), absent("indicatorRef"), of_objectives({"not": own})]},
            {"allOf": [given("indicatorRef"), absent("indicator"), of_objectives({"not": own})]},
            {"allOf": [absent("indicator", "indicatorRef"), of_objectives({"allOf": [own, weight]})]},
        ),
        "allOf": [
            where("Timeslices", {"allOf": [given("timeSliceTarget", "timeSliceWindow"), slice_target]}),
            where("RatioTimeslices", given("timeSliceWindow")),
            {"if": {"allOf": [given("indicator"), threshold]}, "then": of_objectives(bound)},
        ],
    }


class OpenSLOSpec(Part):
    """The promise.

    Attributes:
        indicator: what is measured; in a composite, each objective has its own instead.
        budgeting_method: what spends the budget: bad events, bad slices of time, or the slices' bad shares.
        time_window: the period, one; the configuration's default where it is not given.
    """

    model_config = ConfigDict(json_schema_extra=_rules_of_spec())

    description: Description | None = None
    service: Annotated[NonEmpty, Field(json_schema_extra=DNS_LABEL_SCHEMA)]
    indicator: Indicator | None = None
    indicator_ref: NonEmpty | None = None
    budgeting_method: Literal["Occurrences", "Timeslices", "RatioTimeslices"]
    time_window: Annotated[list[TimeWindow], Field(min_length=1, max_length=1)] | None = None
    objectives: Annotated[list[Objective], Field(min_length=1)]
    alert_policies: list[AlertPolicyItem] = Field(default_factory=list)

    @property
    def is_composite(self) -> bool:
        """Whether the indicators stand in the objectives."""
        return self.indicator is None and self.indicator_ref is None

    def faults(self) -> Iterator[Fault]:
        """Where the indicators stand, and what the budgeting method and they need of the objectives."""
        yield from self._indicator_faults()
        for index, objective in enumerate(self.objectives):
            at: Path = ("objectives", index)
            sliced = self.budgeting_method in ("Timeslices", "RatioTimeslices")
            if self.budgeting_method == "Timeslices" and objective.time_slice_target is None:
                yield Fault(at, "timeSliceTarget is missing under Timeslices", "timeSliceTarget: 0.95", ABSENT)
            elif self.budgeting_method == "Timeslices" and not 0 < (objective.time_slice_target or 0) <= 1:
                yield Fault((*at, "timeSliceTarget"), "must be over 0 and at most 1", "timeSliceTarget: 0.95")
            if sliced and objective.time_slice_window is None:
                message = f"timeSliceWindow is missing under {self.budgeting_method}"
                yield Fault(at, message, "timeSliceWindow: 1m", ABSENT)
            if self.indicator is not None and self.indicator.spec.threshold_metric is not None:
                yield from bound_faults(objective, at)
            if self.is_composite and not (objective.composite_weight is None or objective.composite_weight > 0):
                yield Fault((*at, "compositeWeight"), "must be over 0", "compositeWeight: 1")

    def _indicator_faults(self) -> Iterator[Fault]:
        own = [index for index, item in enumerate(self.objectives) if item.indicator or item.indicator_ref]
        if self.indicator is not None and self.indicator_ref is not None:
            yield Fault(("indicatorRef",), "indicator and indicatorRef exclude each other", "keep one of them")
        if not self.is_composite:
            for index in own:
                field = "indicator" if self.objectives[index].indicator else "indicatorRef"
                message = "the SLO has an indicator for all objectives already"
                yield Fault(("objectives", index, field), message, f"remove {field} here or there")
        elif not own:
            message = "one of indicator and indicatorRef is missing"
            yield Fault((), message, "indicator: {metadata: {name: ...}, spec: {ratioMetric: ...}}", ABSENT)
        else:
            for index in sorted(set(range(len(self.objectives))) - set(own)):
                message = "one of indicator and indicatorRef is missing: in a composite each objective has its own"
                yield Fault(("objectives", index), message, "indicatorRef: my-sli", ABSENT)

    def notices(self) -> Iterator[Notice]:
        """A service that becomes no path, and fields without effect."""
        if not is_dns_label(self.service):
            yield unusable_name(self.service, "service", ("service",))
        for index, objective in enumerate(self.objectives):
            at: Path = ("objectives", index)
            indicator = self.indicator or objective.indicator
            if indicator is not None and indicator.spec.ratio_metric is not None:
                yield from idle_bounds(objective, at)
            fields = {
                "timeSliceTarget": (objective.time_slice_target, self.budgeting_method != "Timeslices"),
                "timeSliceWindow": (objective.time_slice_window, self.budgeting_method == "Occurrences"),
            }
            for field, (value, idle) in fields.items():
                if value is not None and idle:
                    yield _idle(field, f"under {self.budgeting_method}", at)
            if objective.composite_weight is not None and not self.is_composite:
                yield _idle("compositeWeight", "outside of a composite", at)


def bound_faults(objective: Objective, at: Path) -> Iterator[Fault]:
    """What an objective of a thresholdMetric lacks.

    Args:
        at: where the objective stands.
    """
    if objective.op is None:
        yield Fault(at, "op is missing for a thresholdMetric", "op: lte", ABSENT)
    elif objective.op not in OPERATORS:
        yield Fault((*at, "op"), f"{objective.op!r} is not one of {', '.join(OPERATORS)}", "op: lte")
    if objective.value is None:
        yield Fault(at, "value is missing for a thresholdMetric", "value: 500", ABSENT)


def idle_bounds(objective: Objective, at: Path) -> Iterator[Notice]:
    """`op` and `value` beside a ratioMetric, which other readers refuse.

    Args:
        at: where the objective stands.
    """
    for field in ("op", "value"):
        if getattr(objective, field) is not None:
            yield _idle(field, "beside a ratioMetric", at)


def _idle(field: str, where: str, at: Path) -> Notice:
    message = f"{field} has no effect {where}"
    return Notice(Code.SLO203, Severity.WARNING, (*at, field), message, f"remove {field}", at_key=True)


class OpenSLO(Part):
    """An SLO of OpenSLO."""

    api_version: Literal["openslo/v1"]
    kind: Literal["SLO"]
    metadata: Metadata
    spec: OpenSLOSpec
