"""What a spec and its policy say of single replicas, to the numbers of one SLO."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from slo_compiler.documents.config import Config
from slo_compiler.documents.inference_slo import InferenceSLOSpec
from slo_compiler.documents.policy import BurnRatePolicy
from slo_compiler.resolve.policies import DEFAULT_POLICY, load_builtin_policy
from slo_compiler.resolve.readings import Reading

if TYPE_CHECKING:
    from slo_compiler.ir import WorstReplica


class Replicas:
    """What tells the replicas of a spec's engine apart, and when one of them is a ticket.

    Attributes:
        label: of the spec, or as configured.
    """

    def __init__(self, spec: InferenceSLOSpec, config: Config, policy: BurnRatePolicy) -> None:
        self.label = spec.replica_label or config.prometheus.replica_label
        wanted = spec.alerting.worst_replica
        # Where each replica has an SLO of its own, that one tells.
        grouped = spec.group_by is not None and self.label in spec.group_by.labels
        self._asked = (config.defaults.worst_replica if wanted is None else wanted) and not grouped
        self._least = spec.alerting.min_bad_events or 0
        self._policy = policy

    def worst(self, reading: Reading, target: Decimal, events_per_request: Decimal) -> WorstReplica | None:
        """When one replica is a ticket, for a target of 0 to 1; None where there are none to tell apart.

        A policy that does not say takes the default's numbers.
        """
        if not (self._asked and reading.of_replicas):
            return None
        from slo_compiler.ir import WorstReplica  # which few specs ask for

        said = self._policy.spec.worst_replica or load_builtin_policy(DEFAULT_POLICY).spec.worst_replica
        assert said is not None  # the default says it
        return WorstReplica(
            label=self.label,
            limit=min(said.factor * (1 - target), said.error_ratio),
            window=said.window,
            hold=said.for_,
            guard=max(said.min_bad_events, self._least) * int(events_per_request),
        )
