"""KEDA: a ScaledObject of each spec that asks for one, whose triggers are its own promises and never a GPU's utilization.

A latency and a burn rate do not shrink in proportion as replicas are added: their metric type is `Value`, by which the
replicas grow as the number stands to its threshold. Waiting requests do: theirs is `AverageValue`, the sum by the replica.
Where nothing is served the numbers are zero. Where series are missing there is none: KEDA reports an error, and the
replicas stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from slo_compiler.emit.base import Artifact, Context, Document
from slo_compiler.emit.rules import HEADER, one_line
from slo_compiler.emit.serialize import Block, to_yaml
from slo_compiler.ir import Autoscaling, Histogram, Slo, Spec, Trigger
from slo_compiler.promql import names
from slo_compiler.promql.build import either, recorded, selector
from slo_compiler.promql.histograms import base_series, quantile
from slo_compiler.units import decimal_text

NAME = "autoscaling"
_API_VERSIONS = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "LeaderWorkerSet": "leaderworkerset.x-k8s.io/v1"}
# Seconds that a wish for more, or for fewer, replicas must last; of fewer, no shorter than what the triggers look at.
_UP_AFTER, _DOWN_AFTER = 30, 120
# The longest that Kubernetes takes for a policy's period, in seconds.
_LONGEST_PERIOD = 1800


def paths(spec: Spec) -> list[str]:
    """The file of a spec that asks for one."""
    return [f"{NAME}/{spec.service}/{spec.name}.yaml"] if spec.autoscaling is not None else []


def is_object(path: str, context: Context) -> bool:
    """Whether a file of this kind is an object of Kubernetes: each of them."""
    del path, context
    return True


def emit(spec: Spec, context: Context) -> Iterable[Artifact]:
    """The ScaledObject of a spec."""
    if spec.autoscaling is not None:
        for path in paths(spec):
            text = HEADER.format(path=one_line(spec.path)) + to_yaml(_scaled_object(spec, spec.autoscaling, context))
            yield Artifact(path, text)


def _scaled_object(spec: Spec, scaling: Autoscaling, context: Context) -> Document:
    settings = context.autoscaling
    # KEDA makes a name of at most 63 characters of it, `keda-hpa-` before it; service and spec may be as long each.
    metadata: Document = {"name": spec.dashboard_uid}
    namespace = scaling.namespace or settings.namespace
    if namespace:
        metadata["namespace"] = namespace
    if settings.labels:
        metadata["labels"] = dict(settings.labels)
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata,
        "spec": {
            "scaleTargetRef": {
                "apiVersion": _API_VERSIONS[scaling.kind],
                "kind": scaling.kind,
                "name": scaling.target,
            },
            "minReplicaCount": scaling.min_replicas,
            "maxReplicaCount": scaling.max_replicas,
            # Between two scrapes there is nothing new.
            "pollingInterval": int(spec.steps.scrape.to_integral_value(ROUND_CEILING)),
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(scaling)}},
            "triggers": [_trigger(spec, trigger, context) for trigger in scaling.triggers],
        },
    }


def _behavior(scaling: Autoscaling) -> Document:
    """How fast replicas come and go.

    What looks back shows for its whole window what fewer replicas did: without a bound each look would double them again.
    """
    recent = max((int(item.recent.seconds) for item in scaling.triggers if item.recent is not None), default=0)
    up: Document = {"stabilizationWindowSeconds": _UP_AFTER}
    if recent:
        up["policies"] = [{"type": "Percent", "value": 100, "periodSeconds": min(recent, _LONGEST_PERIOD)}]
    return {
        "scaleUp": up,
        "scaleDown": {"stabilizationWindowSeconds": min(max(_DOWN_AFTER, recent), 2 * _LONGEST_PERIOD)},
    }


def _trigger(spec: Spec, trigger: Trigger, context: Context) -> Document:
    settings = context.autoscaling
    slo = next((item for item in spec.slos if item.slo_id == trigger.slo_id), None)
    if slo is None:
        name, query, metric_type = trigger.kind, _waiting(spec), "AverageValue"
    else:
        name, query, metric_type = f"{trigger.kind}-{slo.name}", _of_slo(slo, trigger), "Value"
    threshold = Decimal(1) if trigger.factor else trigger.threshold
    found: Document = {
        "type": "prometheus",
        "name": name,
        "metricType": metric_type,
        "metadata": {
            "serverAddress": settings.server_address,
            "query": Block(query),
            "threshold": decimal_text(threshold),
            "ignoreNullValues": "false",
        },
    }
    if settings.authentication:
        found["authenticationRef"] = {"name": settings.authentication}
    return found


def _waiting(spec: Spec) -> str:
    signal = spec.engine.signal("queue_depth") if spec.engine is not None else None
    assert signal is not None  # else there is no such trigger
    return f"sum({either([selector(item) for item in signal.selectors])})"


def _of_slo(slo: Slo, trigger: Trigger) -> str:
    if trigger.kind == "burn-rate":
        return _or_idle(slo, _burn(slo, trigger))
    assert isinstance(slo.measurement, Histogram) and trigger.recent is not None
    late = _reached(slo, slo.measurement, trigger.recent.promql)
    if trigger.kind == "ttft":
        return _or_idle(slo, f"{late} >= 0")
    # The lower of both, but none that takes replicas away while first tokens are late.
    relative = f"({_or_idle(slo, f'{late} >= 0')}) / {decimal_text(trigger.threshold)}"
    burning = f"clamp_min(({_or_idle(slo, _burn(slo, trigger))}) / {decimal_text(trigger.factor)}, 1)"
    return f"{relative}\n< {burning}\nor {burning}\nand {_events(slo)}"


def _burn(slo: Slo, trigger: Trigger) -> str:
    return f"max({recorded(names.burn_rate(trigger.burn_window), slo.slo_id)})"


def _reached(slo: Slo, measurement: Histogram, window: str) -> str:
    """The latency in seconds that the promised share of events stays under; no number where there are none."""
    found = quantile(slo.target, base_series(measurement), native=measurement.native is not None, window=window)
    assert slo.measured is not None
    scale = slo.measured.seconds / measurement.measured.edge
    return found if scale == 1 else f"{found} * {decimal_text(scale)}"


def _or_idle(slo: Slo, query: str) -> str:
    """Zero where there was nothing to measure; nothing where the series of the engine are missing."""
    return f"{query}\nor 0 * {_events(slo)}"


def _events(slo: Slo) -> str:
    """There while the engine's series are, and zero where nothing is served."""
    return f"max({recorded(names.EVENTS['fast'], slo.slo_id)})"
