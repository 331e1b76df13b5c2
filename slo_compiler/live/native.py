"""Native histograms: what a Prometheus keeps of a histogram where it drops the classic series that the rules read."""

from __future__ import annotations

from slo_compiler.live.pages import all_pass
from slo_compiler.live.results import Live, Read

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
