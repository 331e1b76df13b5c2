"""What does not count against a budget: kinds of exemption, and adjustments after the fact."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from slo_compiler.documents.base import DurationText, JsonSchema, Model, Written
from slo_compiler.documents.judged import JsonObject, absent, either_of, given


class ScheduleDocument(Model):
    """Windows of a length that begin at the times of a cron expression, on the clocks of a time zone."""

    cron: str
    duration: DurationText
    time_zone: str = "UTC"


# The field that each kind is about, and what it may look like.
_OWN_FIELDS = {
    "maintenance": ("schedule", 'schedule: {cron: "0 3 * * 0", duration: 1h, timeZone: Europe/Berlin}'),
    "cold-start": ("for", "for: 3m"),
    "rollout": ("when", "when: 'kube_deployment_status_replicas_updated{...} < kube_deployment_spec_replicas{...}'"),
    "scale-to-zero": ("when", "when: 'kube_deployment_spec_replicas{...} == 0'"),
}


def _form(kind: str, wanted: str) -> JsonObject:
    others = sorted({field for field, _ in _OWN_FIELDS.values()} - {wanted})
    return {"allOf": [{"properties": {"kind": {"const": kind}}}, given(wanted), absent(*others)]}


class ExemptionDocument(Model):
    """A stretch of time whose events count neither as good nor as bad, and how much of it a period may have."""

    model_config = ConfigDict(
        json_schema_extra=either_of(*(_form(kind, own) for kind, (own, _) in _OWN_FIELDS.items()))
    )

    kind: Literal["maintenance", "cold-start", "rollout", "scale-to-zero"]
    schedule: ScheduleDocument | None = None
    for_: Annotated[DurationText | None, Field(alias="for")] = None
    when: Annotated[str, Field(min_length=1)] | None = None
    max_per_period: DurationText

    @model_validator(mode="after")
    def _has_its_own_field(self) -> ExemptionDocument:
        wanted, example = _OWN_FIELDS[self.kind]
        given = {"schedule": self.schedule, "for": self.for_, "when": self.when}
        for field, value in given.items():
            if (value is not None) == (field != wanted):
                what = "needs" if field == wanted else "takes no"
                raise ValueError(f"{self.kind} {what} {field}; write {example}")
        return self


# RFC 3339, in whole seconds.
_AFTER_YEAR = r"-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})"
_MOMENT = re.compile(f"[0-9]{{4}}{_AFTER_YEAR}")
_YEARS = range(1970, 2200)
_EXAMPLE = "2027-03-01T10:00:00Z"
_LONGEST_REASON = 300


def _read_moment(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value
    text = str(value)
    try:
        moment = datetime.datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError(f"{text!r} is no moment; write it as {_meant(text)}")
    if moment.year not in _YEARS:
        raise ValueError(f"{text!r} lies outside of the years {_YEARS[0]} to {_YEARS[-1]}; write it as {_EXAMPLE}")
    return moment


def _meant(text: str) -> str:
    """The moment that lacks its time of day or its offset from UTC, where that is all it lacks."""
    plain = text.strip().upper().replace(" ", "T", 1)
    date, at, time = plain.partition("T")
    clock, offset = (time.removesuffix("Z"), "Z") if "+" not in time else (time, "")
    for completed in (plain, f"{date}T00:00:00Z" * (not at), f"{plain}Z", f"{date}T{clock}:00{offset}"):
        try:
            if _MOMENT.fullmatch(completed) and datetime.datetime.fromisoformat(completed):
                return completed
        except ValueError:
            continue
    return _EXAMPLE


MomentText = Annotated[
    datetime.datetime,
    BeforeValidator(_read_moment),
    Written(datetime.datetime.isoformat),
    JsonSchema({"type": "string", "format": "date-time", "pattern": f"^(19[7-9][0-9]|2[01][0-9]{{2}}){_AFTER_YEAR}$"}),
]


def _check_reason(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank; write what happened, such as reason: the provider lost the region")
    return value


class BudgetAdjustmentDocument(Model):
    """An incident that does not count, such as a region's outage: its events leave the period, good and bad alike."""

    from_: Annotated[MomentText, Field(alias="from")]
    to: MomentText
    reason: Annotated[
        str,
        Field(min_length=1, max_length=_LONGEST_REASON, json_schema_extra={"pattern": r"^\s*\S"}),
        AfterValidator(_check_reason),
    ]
