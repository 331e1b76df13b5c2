"""The resolved form of what a workload's number of replicas follows."""

from decimal import Decimal
from typing import NamedTuple

from slo_compiler.units import Duration


class Trigger(NamedTuple):
    """A number that is to stay at or under a threshold, and more replicas where it does not.

    Attributes:
        kind: `ttft`, `burn-rate`, `queue-depth` or `ttft-and-burn-rate`.
        threshold: seconds, a burn rate, or waiting requests per replica.
        slo_id: whose events it looks at; empty where the engine's gauge is asked.
        recent: over which those events are looked at.
        burn_window: the name of the recorded window of the burn rate; empty where none is read.
        factor: of `ttft-and-burn-rate`, the burn rate that must be reached besides.
    """

    kind: str
    threshold: Decimal
    slo_id: str = ""
    recent: Duration | None = None
    burn_window: str = ""
    factor: Decimal = Decimal(0)


class Autoscaling(NamedTuple):
    """A workload that follows its SLOs.

    Attributes:
        namespace: that the spec's selector names; empty where it names none.
    """

    target: str
    kind: str
    namespace: str
    min_replicas: int
    max_replicas: int
    triggers: tuple[Trigger, ...]
