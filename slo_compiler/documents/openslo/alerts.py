"""OpenSLO's `AlertPolicy`, `AlertCondition` and `AlertNotificationTarget`, by reference or written into each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.documents.judged import ABSENT, Fault, JsonObject, Notice, absent, either_of, given
from slo_compiler.documents.openslo.metadata import Metadata
from slo_compiler.documents.openslo.parts import Bool, Description, DurationShorthand, NonEmpty, Number, Part

_INLINE = ("kind", "metadata", "spec")


def _forms(reference: str) -> JsonObject:
    """An object by its name, or written out, in words of JSON Schema."""
    return either_of({"allOf": [given(reference), absent(*_INLINE)]}, {"allOf": [given(*_INLINE), absent(reference)]})


class RefOrInline(Part):
    """An object by its name, or written out with kind, metadata and spec, but without apiVersion."""

    REF: ClassVar[str]
    KIND: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _no_bare_name(cls, data: Any) -> Any:
        if isinstance(data, str):
            raise ValueError(f"a bare name is the form of older documents; {cls.REF}: {data}")
        return data

    def faults(self) -> Iterator[Fault]:
        """Either the name, or all of the object."""
        given = {
            field.alias or name: getattr(self, name) is not None for name, field in type(self).model_fields.items()
        }
        if given[self.REF]:
            beside = [name for name in _INLINE if given[name]]
            if beside:
                yield Fault((), f"{self.REF} excludes {', '.join(beside)}", f"keep {self.REF}, or the object itself")
            return
        if not any(given[name] for name in _INLINE):
            yield Fault((), f"{self.REF} is missing", f"{self.REF}: my-name, or the object itself", ABSENT)
            return
        hints = {"kind": f"kind: {self.KIND}", "metadata": "metadata: {name: my-name}", "spec": "spec: {...}"}
        for name in _INLINE:
            if not given[name]:
                yield Fault((), f"{name} is missing in an object written out", hints[name], ABSENT)


class ConditionSpec(Part):
    """When it alerts.

    Attributes:
        threshold: the burn rate; 1 spends the error budget exactly over the SLO's period.
        lookback_window: over how long the burn rate is taken.
        alert_after: how long the condition must hold; at once where it is not given.
    """

    kind: Literal["burnrate"] | None = None
    op: Literal["lte", "gte", "lt", "gt"]
    threshold: Number
    lookback_window: DurationShorthand
    alert_after: DurationShorthand | None = None

    def notices(self) -> Iterator[Notice]:
        """What only the specification takes, and an operator that is the wrong way round."""
        if self.kind is None:
            message = "kind is missing: burnrate is meant, which other readers want to see"
            yield Notice(Code.SLO202, Severity.WARNING, (), message, "kind: burnrate")
        if self.op in ("lt", "lte"):
            yield Notice(Code.SLO206, Severity.WARNING, ("op",), inverted_words(self.op), "op: gt")


def inverted_words(op: str) -> str:
    """What is wrong with a burn rate that alerts where it is low."""
    return f"op {op} alerts while the burn rate is low, which is while all is well: it cannot be compiled"


class AlertConditionSpec(Part):
    """A condition and how severe it is.

    Attributes:
        severity: free text; `page` and `ticket`, or what the configuration writes for them, are known.
    """

    description: Description | None = None
    severity: NonEmpty
    condition: ConditionSpec


class AlertCondition(Part):
    """A condition that alert policies name by `conditionRef`."""

    api_version: Literal["openslo/v1"]
    kind: Literal["AlertCondition"]
    metadata: Metadata
    spec: AlertConditionSpec


class AlertNotificationTargetSpec(Part):
    """Whom an alert reaches, in words that the receiver understands."""

    description: Description | None = None
    target: NonEmpty


class AlertNotificationTarget(Part):
    """A target that alert policies name by `targetRef`."""

    api_version: Literal["openslo/v1"]
    kind: Literal["AlertNotificationTarget"]
    metadata: Metadata
    spec: AlertNotificationTargetSpec


class ConditionItem(RefOrInline):
    """An AlertCondition by its name, or written out."""

    REF: ClassVar[str] = "conditionRef"
    KIND: ClassVar[str] = "AlertCondition"
    model_config = ConfigDict(json_schema_extra=_forms("conditionRef"))

    condition_ref: NonEmpty | None = None
    kind: Literal["AlertCondition"] | None = None
    metadata: Metadata | None = None
    spec: AlertConditionSpec | None = None


class TargetItem(RefOrInline):
    """An AlertNotificationTarget by its name, or written out."""

    REF: ClassVar[str] = "targetRef"
    KIND: ClassVar[str] = "AlertNotificationTarget"
    model_config = ConfigDict(json_schema_extra=_forms("targetRef"))

    target_ref: NonEmpty | None = None
    kind: Literal["AlertNotificationTarget"] | None = None
    metadata: Metadata | None = None
    spec: AlertNotificationTargetSpec | None = None


class AlertPolicySpec(Part):
    """When whom an alert reaches.

    Attributes:
        alert_when_no_data: whether the loss of the data alerts.
        alert_when_resolved: whether the end of an alert is told, which is Alertmanager's `send_resolved`.
        alert_when_breaching: whether the condition alerts.
    """

    description: Description | None = None
    alert_when_no_data: Bool = False
    alert_when_resolved: Bool = False
    alert_when_breaching: Bool = False
    conditions: Annotated[list[ConditionItem], Field(min_length=1, max_length=1)]
    notification_targets: Annotated[list[TargetItem], Field(min_length=1)]

    def notices(self) -> Iterator[Notice]:
        """A policy that is switched off, and a switch that Prometheus does not have."""
        if not (self.alert_when_no_data or self.alert_when_resolved or self.alert_when_breaching):
            message = "the policy never alerts: alertWhenBreaching, alertWhenNoData and alertWhenResolved are all false"
            yield Notice(Code.SLO501, Severity.WARNING, (), message, "alertWhenBreaching: true")
        if self.alert_when_resolved:
            message = "alertWhenResolved has no meaning in rules: Alertmanager tells of the end of an alert"
            hint = "send_resolved: true, in the receiver of Alertmanager"
            yield Notice(Code.SLO206, Severity.INFO, ("alertWhenResolved",), message, hint, at_key=True)


class AlertPolicy(Part):
    """An alert policy that SLOs name by `alertPolicyRef`."""

    api_version: Literal["openslo/v1"]
    kind: Literal["AlertPolicy"]
    metadata: Metadata
    spec: AlertPolicySpec


class AlertPolicyItem(RefOrInline):
    """An AlertPolicy by its name, or written out."""

    REF: ClassVar[str] = "alertPolicyRef"
    KIND: ClassVar[str] = "AlertPolicy"
    model_config = ConfigDict(json_schema_extra=_forms("alertPolicyRef"))

    alert_policy_ref: NonEmpty | None = None
    kind: Literal["AlertPolicy"] | None = None
    metadata: Metadata | None = None
    spec: AlertPolicySpec | None = None
