"""A metrics page as series by name, whether it came from the program itself or from a Prometheus that scraped it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from slo_compiler.ir import Matcher

_SUFFIXES = ("_bucket", "_count", "_sum")
_COUNTER = re.compile(r"^([ \t]*#[ \t]+TYPE[ \t]+(\S+)[ \t]+)counter[ \t]*$", re.MULTILINE)


class NoPage(ValueError):
    """The text is no page of metrics; the message says why."""


class Series(NamedTuple):
    """One series and its latest value."""

    labels: Mapping[str, str]
    value: float


class NativeSeries(NamedTuple):
    """One native histogram.

    Attributes:
        value: how many events it has counted.
        buckets: the bounds of those buckets that hold events.
    """

    labels: Mapping[str, str]
    value: float
    buckets: tuple[tuple[float, float], ...]


@dataclass(slots=True)
class Page:
    """Series by the name they are scraped under.

    Attributes:
        types: what the page declares each family as, by base name; `unknown` where it does not say.
        native: native histograms by name, which only a server shows.
        has_target_labels: whether the labels that scraping adds are there.
    """

    series: dict[str, list[Series]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    native: dict[str, list[NativeSeries]] = field(default_factory=dict)
    has_target_labels: bool = False

    def add(self, other: Page) -> None:
        """Joins the page of another replica."""
        for name, found in other.series.items():
            self.series.setdefault(name, []).extend(found)
        self.types.update(other.types)

    def type_of(self, name: str) -> str:
        """The declared type of a metric, by its base or its full name."""
        for known in (name, name.removesuffix("_total")):
            if known in self.types:
                return self.types[known]
        return "unknown"

    def is_part(self, name: str) -> bool:
        """Whether it is a bucket, the count or the sum of a histogram or a summary, each of which counts."""
        base = next((name.removesuffix(end) for end in _SUFFIXES if name.endswith(end)), name)
        return base != name and self.types.get(base) in ("histogram", "summary")

    def matching(self, name: str, matchers: Iterable[Matcher]) -> list[Series]:
        """The series of that name that all matchers let through, by PromQL's rules: an absent label is empty."""
        tests = [(matcher.label, passes(matcher)) for matcher in matchers]
        return [
            one for one in self.series.get(name, ()) if all(test(one.labels.get(label, "")) for label, test in tests)
        ]

    def metrics(self) -> list[str]:
        """Every metric by the name that people use, histograms by their base name; sorted."""
        found = set()
        for name in self.series:
            found.add(name.rpartition("_")[0] if self.is_part(name) else name)
        return sorted(found)


def passes(matcher: Matcher) -> Callable[[str], bool]:
    """Whether a label's value passes a matcher; regular expressions are anchored, as PromQL's are."""
    pattern = re.compile(matcher.value if "~" in matcher.op else re.escape(matcher.value), re.DOTALL)
    negated = matcher.op.startswith("!")
    return lambda value: (pattern.fullmatch(value) is not None) is not negated


def all_pass(one: Series | NativeSeries, matchers: Iterable[Matcher]) -> bool:
    """Whether a series has what all matchers ask for."""
    return all(passes(matcher)(one.labels.get(matcher.label, "")) for matcher in matchers)


def read_page(text: str) -> Page:
    """A page in Prometheus's text format.

    Raises:
        NoPage: it is none.
    """
    from prometheus_client.parser import text_string_to_metric_families

    page = Page()
    counters = {name for _, name in _COUNTER.findall(text)}
    try:
        # The parser would write `_total` behind the names of counters that have none, such as Envoy's.
        for family in text_string_to_metric_families(_COUNTER.sub(r"\1gauge", text)):
            page.types[family.name] = "counter" if family.name in counters else family.type
            for sample in family.samples:
                page.series.setdefault(sample.name, []).append(Series(dict(sample.labels), float(sample.value)))
    except (ValueError, IndexError, KeyError) as fault:
        raise NoPage(f"no page of metrics: {fault}") from None
    if not page.series:
        raise NoPage("no page of metrics: it holds no series")
    return page
