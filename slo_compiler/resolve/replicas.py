"""A policy's word on single replicas to the numbers of one SLO."""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.documents.policy import BurnRatePolicy
from slo_compiler.ir import WorstReplica
from slo_compiler.resolve.policies import DEFAULT_POLICY, load_builtin_policy


def worst_replica_of(
    policy: BurnRatePolicy, target: Decimal, label: str, guard_scale: Decimal, min_bad_events: int
) -> WorstReplica:
    """When one replica is a ticket, for a target of 0 to 1; a policy that does not say takes the default's numbers.

    Args:
        label: tells the replicas apart.
        guard_scale: events per request, for SLIs that count tokens.
        min_bad_events: raises the guard.
    """
    said = policy.spec.worst_replica or load_builtin_policy(DEFAULT_POLICY).spec.worst_replica
    assert said is not None  # the default says it
    return WorstReplica(
        label=label,
        limit=min(said.factor * (1 - target), said.error_ratio),
        window=said.window,
        hold=said.for_,
        guard=max(said.min_bad_events, min_bad_events) * int(guard_scale),
    )
