"""The resolved form of a spec's engine: what it is, what it shows and what it cannot tell."""

from decimal import Decimal
from typing import NamedTuple

from slo_compiler.ir_series import Selector


class Signal(NamedTuple):
    """What an engine shows of one role on those series that a spec is about.

    Attributes:
        role: what it tells, as engine documents name it, `queue_depth`.
        kind: `histogram`, `counter`, `gauge` or `summary`.
        seconds: how many seconds one of its units is; 0 where it shows no time.
        selectors: under every name that the document gives the role, newest first; of a histogram by its base name.
        native: it is a histogram that arrives as a native one, so that there is nothing beside the base name.
    """

    role: str
    kind: str
    seconds: Decimal
    selectors: tuple[Selector, ...]
    native: bool = False


class EngineInUse(NamedTuple):
    """The engine that a spec is about, as it names it.

    Attributes:
        version: as it is read; another than the spec's where that is not known.
        title: the engine and its version, for people: `vLLM 0.11`.
        is_gateway: it counts requests that fail before they reach a model.
        replica_label: tells its replicas apart.
        signals: what it shows in this version, a role each.
        blind_spots: what it cannot tell, in sentences.
    """

    name: str
    version: str
    generation: str
    title: str = ""
    is_gateway: bool = False
    replica_label: str = "instance"
    signals: tuple[Signal, ...] = ()
    blind_spots: tuple[str, ...] = ()

    def signal(self, role: str) -> Signal | None:
        """What it shows of a role; None where it shows nothing."""
        return next((signal for signal in self.signals if signal.role == role), None)
