"""What does not count against a budget: kinds of exemption, and adjustments after the fact."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from slo_compiler.documents.base import DurationText, Model
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
