"""The `autoscaling` block of a spec: which workload follows which of its promises. It changes no rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from slo_compiler.documents.judged import Fault, Judged
from slo_compiler.documents.metadata import DnsLabel

Replicas = Annotated[int, Field(ge=1, le=10_000)]
ScaleOn = Literal["ttft", "burn-rate", "queue-depth", "ttft-and-burn-rate"]


class Autoscaling(Judged):
    """A workload that grows before a promise breaks.

    Attributes:
        target: the name of the workload, in the namespace that the selector or the configuration names.
        triggers: each one, or one per objective; that which wants the most replicas decides.
    """

    target: DnsLabel
    kind: Literal["Deployment", "StatefulSet", "LeaderWorkerSet"] = "Deployment"
    min_replicas: Replicas = 1
    max_replicas: Replicas
    triggers: Annotated[list[ScaleOn], Field(min_length=1)]

    def faults(self) -> Iterator[Fault]:
        """Bounds the wrong way round."""
        if self.min_replicas > self.max_replicas:
            message = f"minReplicas {self.min_replicas} is over maxReplicas {self.max_replicas}"
            at = "minReplicas" if "min_replicas" in self.model_fields_set else "maxReplicas"
            yield Fault((at,), message, f"minReplicas: {self.max_replicas}, or raise maxReplicas")
