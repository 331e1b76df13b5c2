"""Native histograms: what a Prometheus has of a histogram where it drops the classic series, for whoever reads either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from slo_compiler.ir import Histogram, Native, Slo
from slo_compiler.live.pages import Page, Series, all_pass
from slo_compiler.live.results import Check, Live, Read, Result, Teller
from slo_compiler.units import decimal_text

# `always_scrape_classic_histograms` was `scrape_classic_histograms` from 2.45 to 2.55.
_KEEPS_CLASSIC = (
    "scrape it with always_scrape_classic_histograms: true (before Prometheus 3 scrape_classic_histograms), "
    "which keeps the buckets too, also those that convert_classic_histograms_to_nhcb drops"
)


def native_alone(read: Read, live: Live) -> dict[str, str]:
    """What is wrong with each histogram of which the rules see no series, or not of all replicas, by its name.

    Only a server has native histograms; the text of a page holds classic ones. Where it scrapes both, none is alone.
    """
    found = {}
    for name in read.names if read.kind == "histogram" else ():
        native = [one for one in live.page.native.get(name, ()) if all_pass(one, read.matchers)]
        classic = [one.labels for one in live.page.matching(f"{name}_count", read.matchers)]
        alone = sum(one.labels not in classic for one in native)
        if alone:
            share = f" in {alone} of {alone + len(classic)} series" if classic else ""
            found[name] = (
                f"is a native histogram alone{share}; the rules read {name}_bucket and {name}_count: {_KEEPS_CLASSIC}"
            )
    return found


_ARRIVES = {
    True: "convert_classic_histograms_to_nhcb: true makes native ones of them",
    False: "scrape_native_histograms: true takes native ones where the program writes any",
}


def classic_alone(histogram: Histogram, native: Native, live: Live) -> dict[str, str]:
    """What is wrong with each native histogram that arrives as a classic one, or so from some replicas, by its name."""
    found = {}
    for name in histogram.names:
        have = [one.labels for one in live.page.native.get(name, ()) if all_pass(one, histogram.matchers)]
        classic = [one.labels for one in live.page.matching(f"{name}_count", histogram.matchers)]
        alone = sum(labels not in have for labels in classic)
        if alone:
            share = f" in {alone} of {alone + len(have)} series" if have else ""
            found[name] = (
                f"is a classic histogram alone{share}; the rules read native ones: {_ARRIVES[native.schema is None]}, "
                "and histograms: classic reads what is there"
            )
    return found


def seen_as_classic(live: Live, histogram: Histogram) -> Live:
    """What a server has, with each native histogram as the count of its events."""

    def page_of(page: Page) -> Page:
        native = {
            f"{name}_count": [Series(one.labels, one.value) for one in page.native[name]]
            for name in histogram.names
            if name in page.native
        }
        others = {
            name: found for name, found in page.series.items() if name.removesuffix("_count") not in histogram.names
        }
        return replace(page, series={**others, **native}, native={})

    return live._replace(page=page_of(live.page), earlier=page_of(live.earlier) if live.earlier is not None else None)


def edge_there(slo: Slo, histogram: Histogram, name: str, live: Live, tell: Teller) -> Iterator[Result]:
    """Whether the edge that the rules read cuts a bucket that holds events, which would be counted by guess.

    A server tells of no empty bucket, so that an edge may be missing unseen until something lies around it.
    """
    edge = float(histogram.measured.edge)
    series = [one for one in live.page.native.get(name, ()) if all_pass(one, histogram.matchers)]
    # The doubles of two programs for one edge of powers of two differ in the last place.
    near = abs(edge) * 1e-12
    cut = [(low, high) for one in series for low, high in one.buckets if low + near < edge < high - near]
    if not series:
        return
    promised = f"{slo.promised} is promised and " if slo.promised != slo.measured and slo.promised is not None else ""
    if not cut:
        yield tell(Check.BUCKET, True, name, f"{promised}{slo.measured} is read, which cuts no bucket")
        return
    share = f" in {len(cut)} of {len(series)} series" if len(cut) < len(series) else ""
    low, high = cut[0]
    message = f"{promised}{decimal_text(histogram.measured.edge)} is read and is no edge{share}: a bucket reaches from "
    message += f"{low:.6g} to {high:.6g}"
    if histogram.native is not None and histogram.native.schema is not None:
        message += f"; the buckets are coarser than those of schema {histogram.native.schema}: lower coarsestSchema"
    yield tell(Check.BUCKET, False, name, message)
