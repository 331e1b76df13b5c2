"""Classic series that were drawn, as the native histograms that a server has in their place.

A replica of which the drawing shows buckets is a native histogram; where it has lost them, or never had one with an edge,
its classic count is left, as in a fleet of which a part is scraped otherwise. promtool 3 alone reads such series.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.notation import GAP, STALE, Slot, number, raw_input, values
from slo_compiler.ir import Histogram, Native, Spec

_LE = re.compile(r'(^|,)le="([^"\\]*)"(,|$)')
_NUMBER = r"-?[0-9.]+(?:e[-+]?[0-9]+)?"
_TOKEN = re.compile(rf"(_|{STALE}|{_NUMBER})(?:\+({_NUMBER}))?(?:x([0-9]+))?")


def natives_of(spec: Spec) -> dict[str, Native]:
    """The native histograms that a spec reads, by every name that they may have."""
    found = {}
    for slo in spec.slos:
        if isinstance(slo.measurement, Histogram) and slo.measurement.native is not None:
            found.update(dict.fromkeys(slo.measurement.names, slo.measurement.native))
    return found


def as_native(group: Document, natives: Mapping[str, Native]) -> Document:
    """A test group with the native histograms among its series drawn as such."""
    drawn: dict[tuple[str, str], _Drawn] = {}
    found: list[Document | _Drawn] = []
    for item in group["input_series"]:
        name, _, labels = item["series"].partition("{")
        base = next((base for base in _bases(name) if base in natives), None)
        if base is None:
            found.append(item)
            continue
        edge = _LE.search(labels.removesuffix("}"))
        own = labels.removesuffix("}") if edge is None else _without_edge(labels.removesuffix("}"))
        if (base, own) not in drawn:
            drawn[base, own] = _Drawn(base, own, natives[base])
            found.append(drawn[base, own])
        if edge is None:
            drawn[base, own].count = item["values"]
        else:
            drawn[base, own].buckets[float(edge[2])] = item["values"]
    series = [item for one in found for item in (one.series() if isinstance(one, _Drawn) else [one])]
    return {**group, "input_series": series}


def _bases(name: str) -> Iterable[str]:
    return (name, name.removesuffix("_count"), name.removesuffix("_bucket"))


def _without_edge(labels: str) -> str:
    return _LE.sub(lambda found: "," if found[1] and found[3] else "", labels)


@dataclass(slots=True)
class _Drawn:
    """The classic series of one replica, in promtool's notation.

    Attributes:
        labels: as text, without `le`.
        buckets: by edge.
    """

    name: str
    labels: str
    native: Native
    count: str = ""
    buckets: dict[float, str] = field(default_factory=dict)

    def series(self) -> list[Document]:
        """The native histogram, and the classic count of the time in which there is none."""
        edges = tuple(sorted(edge for edge in self.buckets if math.isfinite(edge)))
        if self.buckets and not edges:
            whole = {**_labelled(self.labels), "le": '"+Inf"'}
            bucket = ",".join(f"{label}={value}" for label, value in sorted(whole.items()))
            return [self._classic(self.count), raw_input(f"{self.name}_bucket{{{bucket}}}", self.count)]
        native, classic = _told_apart(self.count, tuple(self.buckets[edge] for edge in edges), edges, self.native)
        found = [raw_input(f"{self.name}{{{self.labels}}}", native)]
        return found if classic is None else [*found, self._classic(classic)]

    def _classic(self, text: str) -> Document:
        return raw_input(f"{self.name}_count{{{self.labels}}}", text)


def _labelled(labels: str) -> dict[str, str]:
    """Labels of a series by name, their values in quotes."""
    return dict(re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)=("(?:[^"\\]|\\.)*")', labels))


# Specs of one policy draw the same courses under other names.
@lru_cache(maxsize=512)
def _told_apart(
    count: str, buckets: tuple[str, ...], edges: tuple[float, ...], native: Native
) -> tuple[str, str | None]:
    """The native histograms of a replica, and its classic counts where it lacks a bucket; None where it lacks none."""
    counts = _slots(count)
    columns = [_slots(text) for text in buckets]
    rows = itertools.chain(itertools.zip_longest(*columns, fillvalue=GAP), itertools.repeat((GAP,) * len(columns)))
    found: list[str] = []
    classic: list[Slot] = []
    last: list[float] = []
    for total, row in zip(counts, rows, strict=False):
        lacking = next((item for item in row if isinstance(item, str)), None)
        if isinstance(total, str) or lacking is not None:
            found.append(total if isinstance(total, str) else str(lacking))
            classic.append(GAP if lacking is None or isinstance(total, str) else total)
            continue
        up_to = [item for item in row if not isinstance(item, str)] or [total]
        held = [up_to[0], *(after - before for before, after in itertools.pairwise((*up_to, total)))]
        last = [_grown(before, now) for before, now in itertools.zip_longest(last, held, fillvalue=0.0)]
        found.append(_histogram(edges or (1.0,), last, native))
        classic.append(GAP)
    text = _runs(found)
    return text, values(classic) if any(not isinstance(item, str) for item in classic) else None


# Drawings are rounded to so much less that their differences waver; what is lost in a restart is more.
_WAVERS = 1e-4


def _grown(before: float, now: float) -> float:
    """The events of a bucket, which never fall by a rounding: that would be the restart of a counter."""
    return max(before, 0.0) if before - _WAVERS < now < before else max(now, 0.0)


def _runs(slots: Sequence[str]) -> str:
    parts = []
    for token, run in itertools.groupby(slots):
        length = len(list(run))
        if token == GAP:
            parts.append(token if length == 1 else f"_x{length}")
        elif token == STALE or length == 1:
            parts += [token] * length
        else:
            parts.append(f"{token}x{length - 1}")
    return " ".join(parts)


def _histogram(edges: Sequence[float], held: Sequence[float], native: Native) -> str:
    """A histogram with its events just above the edges that they are over, so that a wrong edge cuts their bucket.

    Args:
        held: the events up to the first edge, up to the next, and so on, and those over the last.
    """
    count = number(math.fsum(held))
    if native.schema is None:
        bounds = [edges[0] / 2, *edges, edges[-1] * 2]
        listed, events = " ".join(map(number, bounds)), " ".join(map(number, [0.0, *held]))
        return f"{{{{schema:-53 custom_values:[{listed}] count:{count} buckets:[{events}]}}}}"
    # The bucket of an index ends at 2^(index * 2^-schema).
    indices = [round(math.log2(edge) * 2.0**native.schema) for edge in edges]
    places = [indices[0], *(index + 1 for index in indices)]
    buckets = [0.0] * (places[-1] - places[0] + 1)
    for place, events_there in zip(places, held, strict=True):
        buckets[place - places[0]] += events_there
    return f"{{{{schema:{native.schema} count:{count} offset:{places[0]} buckets:[{' '.join(map(number, buckets))}]}}}}"


def _slots(text: str) -> list[Slot]:
    """The slots of a series in promtool's notation.

    Raises:
        ValueError: the text is none that a drawing writes.
    """
    found: list[Slot] = []
    for token in text.split():
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise ValueError(f"{token} is no slot of a series")
        value, rise, more = match.groups()
        if value in (GAP, STALE):
            found += [value] * int(more or 1)
        else:
            found += [float(value) + index * float(rise or 0) for index in range(int(more or 0) + 1)]
    return found
