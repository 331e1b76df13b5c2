"""Objectives and sources in batches, so that a series has one course in a test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from slo_compiler.ir import Counters, Histogram, Slo, Source

T = TypeVar("T")


def slo_batches(slos: Iterable[Slo]) -> list[list[Slo]]:
    """SLOs that read raw series; those of one histogram stay together, each at its own edge."""
    return _batches(
        [slo for slo in slos if _metrics(slo)],
        lambda one, two: _same_family(one, two) or not _metrics(one) & _metrics(two),
    )


def source_batches(sources: Iterable[Source]) -> list[list[Source]]:
    """Sources that watch different metrics, of the same targets or of targets that cannot be the same."""
    return _batches(sources, _may_share_a_test)


def _may_share_a_test(one: Source, two: Source) -> bool:
    if {item.name for item in one.selectors} & {item.name for item in two.selectors}:
        return False
    if one.target_matchers == two.target_matchers or not one.target_matchers or not two.target_matchers:
        return True
    exact = {matcher.label: matcher.value for matcher in one.target_matchers if matcher.op == "="}
    return any(
        matcher.op == "=" and exact.get(matcher.label, matcher.value) != matcher.value
        for matcher in two.target_matchers
    )


def _batches(items: Iterable[T], together: Callable[[T, T], bool]) -> list[list[T]]:
    found: list[list[T]] = []
    for item in items:
        for members in found:
            if all(together(item, other) for other in members):
                members.append(item)
                break
        else:
            found.append([item])
    return found


def _metrics(slo: Slo) -> set[str]:
    counted = slo.counted
    if isinstance(counted, Histogram):
        # A counter may be read from the series of a histogram.
        return {f"{name}{suffix}" for name in counted.names for suffix in ("_count", "_bucket")}
    return {counted.total.name, counted.part.name} if isinstance(counted, Counters) else set()


def _same_family(slo: Slo, other: Slo) -> bool:
    one, two = slo.measurement, other.measurement
    if not isinstance(one, Histogram) or not isinstance(two, Histogram):
        return False
    return (one.names, one.matchers) == (two.names, two.matchers)
