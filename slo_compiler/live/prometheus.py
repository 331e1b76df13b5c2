"""What a Prometheus has scraped, as a page: through its HTTP API, by instant queries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from slo_compiler.ir import Counters, Histogram, Selector, Slices, Slo, Spec, Throughput
from slo_compiler.live.pages import NativeSeries, NoPage, Page, Series
from slo_compiler.promql.build import string

# So many names in one query: addresses may be a few kilobytes long.
_AT_ONCE = 20

# The text of an address with parameters.
Get = Callable[[str, Mapping[str, str]], str]


def names_read(specs: Iterable[Spec]) -> list[str]:
    """Every series name that specs read from their engines and gateways, sorted."""
    found: set[str] = set()
    for spec in specs:
        for slo in spec.slos:
            found.update(_names_of(slo))
        if spec.gauges is not None:
            found.update(item.name for item in (*spec.gauges.running, *spec.gauges.waiting, *spec.gauges.tokens))
    return sorted(found)


def _names_of(slo: Slo) -> Iterable[str]:
    measurement = slo.measurement.inner if isinstance(slo.measurement, Slices) else slo.measurement
    selectors: Sequence[Selector] = (slo.deadline.pending_age,) if slo.deadline is not None else ()
    if isinstance(measurement, Histogram):
        # Under the bare name are native histograms.
        return [f"{name}{end}" for name in measurement.names for end in ("", "_bucket", "_count")]
    if isinstance(measurement, Counters):
        selectors = (*selectors, measurement.total, measurement.part)
    elif isinstance(measurement, Throughput):
        selectors = (*selectors, *measurement.tokens, *measurement.waiting)
    return [selector.name for selector in selectors]


def page_of(get: Get, address: str, names: Sequence[str], *, seconds_ago: int = 0) -> Page:
    """The series of these names as the server has them, with the types that it knows.

    Args:
        get: reads from the server.
        address: of the server, to which the API's paths are added.
        seconds_ago: looks back so far.

    Raises:
        NoPage: the answer is none of Prometheus.
        Exception: as `get` raises it.
    """
    page = Page(has_target_labels=True)
    for first in range(0, len(names), _AT_ONCE):
        pattern = "|".join(names[first : first + _AT_ONCE])
        query = f"{{__name__=~{string(pattern)}}}" + (f" offset {seconds_ago}s" if seconds_ago else "")
        for result in _data(get, f"{address}/api/v1/query", {"query": query})["result"]:
            labels = dict(result["metric"])
            name = labels.pop("__name__", "")
            if "histogram" in result:
                held = result["histogram"][1]
                bounds = tuple((float(low), float(high)) for _, low, high, _ in held.get("buckets", ()))
                page.native.setdefault(name, []).append(NativeSeries(labels, float(held["count"]), bounds))
            else:
                page.series.setdefault(name, []).append(Series(labels, float(result["value"][1])))
    for name, entries in _data(get, f"{address}/api/v1/metadata", {}).items():
        if entries:
            page.types[name] = str(entries[0]["type"])
    return page


def _data(get: Get, url: str, parameters: Mapping[str, str]) -> Any:
    try:
        answer = json.loads(get(url, parameters))
        if answer["status"] == "success":
            return answer["data"]
        raise NoPage(f"Prometheus says: {answer.get('error', 'no success')}")
    except (ValueError, KeyError, TypeError) as fault:
        if isinstance(fault, NoPage):
            raise
        raise NoPage("no answer of Prometheus's HTTP API") from None
