"""The engine of a spec to all that it shows of the spec's requests, for what people look at beside the SLOs."""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.documents.engine import MetricType
from slo_compiler.edges import UNIT_SECONDS
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import EngineInUse, Selector, Signal
from slo_compiler.resolve.readings import Readings


def engine_in_use(engine: ResolvedEngine, readings: Readings, replica_label: str) -> EngineInUse:
    """The engine as it is read, with its signals in the document's order.

    Args:
        readings: whose matchers select the spec's own series.
    """
    signals = []
    for role in engine.roles():
        kind = engine.kind(role)
        assert kind is not None  # the version has the role
        matchers = readings.matchers(engine, (role,))
        selectors = tuple(Selector(name, matchers) for name in engine.names(role))
        native = kind is MetricType.HISTOGRAM and readings.native is not None
        seconds = UNIT_SECONDS.get(engine.unit((role,)), Decimal(0))
        signals.append(Signal(role, kind.value, seconds, selectors, native))
    return EngineInUse(
        engine.name,
        engine.version,
        engine.generation,
        engine.title,
        engine.is_gateway,
        replica_label,
        tuple(signals),
        engine.blind_spots,
    )
