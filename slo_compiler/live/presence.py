"""Whether a metric is there, as what it should be, with series that the spec's matchers let through."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from slo_compiler.diagnostics.nearest import near_miss
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import Matcher
from slo_compiler.live.native import native_alone
from slo_compiler.live.pages import Page, Series, all_pass, passes
from slo_compiler.live.results import Check, Live, Read, Result, Teller
from slo_compiler.live.versions import version_of_metric
from slo_compiler.promql.build import matchers as matchers_text

_FEW = 5


def presence(read: Read, engine: ResolvedEngine | None, live: Live, tell: Teller) -> Iterator[Result]:
    """Metric, version, type and labels; what follows from them is left to the caller."""
    found = [name for name in read.names if series_name(name, read.kind) in live.page.series]
    alone = native_alone(read, live)
    if not found and not alone:
        yield tell(Check.METRIC, False, read.names[0], _missing(read.names, live.page))
        return
    yield tell(Check.METRIC, True, (found or list(alone))[0], "is exposed")
    yield from (tell(Check.TYPE, False, name, message) for name, message in alone.items())
    if alone:
        return
    if read.expected and engine is not None:
        yield from version_of_metric(read, found, engine, tell)
    for name in found:
        declared = live.page.type_of(name)
        if declared == "unknown":
            declared = live.page.type_of(series_name(name, read.kind))
        if declared == "unknown" and live.page.is_part(name):
            declared = "counter"
        if declared not in (read.kind, "unknown", "untyped"):
            yield tell(Check.TYPE, False, name, f"is a {declared}; the rules read a {read.kind}")
        else:
            known = declared == read.kind
            yield tell(Check.TYPE, True if known else None, name, f"is a {read.kind}" if known else "has no type")
    yield from labels_match(read, found, live, tell)


def series_name(name: str, kind: str) -> str:
    """The series that a metric of a kind has in any case."""
    return f"{name}_count" if kind == "histogram" else name


def _missing(names: Sequence[str], page: Page) -> str:
    known = page.metrics()
    near = [close for name in names for close in difflib.get_close_matches(name, known, n=2, cutoff=0.7)]
    seen = list(dict.fromkeys(near))[:_FEW]
    others = f"; near it are {', '.join(seen)}" if seen else ""
    also = f", nor {', '.join(names[1:])}" if len(names) > 1 else ""
    return f"is not there{also}{others}"


def labels_match(read: Read, found: Sequence[str], live: Live, tell: Teller) -> Iterator[Result]:
    """Whether the matchers let any series of each metric through, and which of them a page cannot answer."""
    for name in found:
        series = live.page.series[series_name(name, read.kind)]
        judged, untold = judged_matchers(read, series, live)
        if not [one for one in series if all_pass(one, judged)]:
            yield tell(Check.LABELS, False, name, _mismatch(judged, series, live))
            continue
        if untold:
            yield tell(Check.LABELS, None, name, _untold_text(untold, live))
        elif judged:
            yield tell(Check.LABELS, True, name, f"series match {matchers_text(judged)}")


def judged_matchers(read: Read, series: Sequence[Series], live: Live) -> tuple[tuple[Matcher, ...], list[Matcher]]:
    """The matchers that the page can answer, and those that only a server can."""
    if live.page.has_target_labels:
        return read.matchers, []
    present = {label for one in series for label in one.labels}
    untold = [
        matcher
        for matcher in read.matchers
        if matcher.label not in present
        and (
            matcher.label in live.target_labels
            or (
                read.own_labels is not None
                and matcher.label not in read.own_labels
                and near_miss(matcher.label, _known_labels(present, live)) is None
            )
        )
    ]
    return tuple(matcher for matcher in read.matchers if matcher not in untold), untold


def _known_labels(present: Iterable[str], live: Live) -> set[str]:
    return {*present, *live.target_labels} - {"le"}


def _untold_text(untold: Sequence[Matcher], live: Live) -> str:
    """Which labels a page cannot show; those on trust are told from those that the settings name."""
    labels = sorted({matcher.label for matcher in untold})
    text = f"{', '.join(labels)}: added by scraping, which a page of the program cannot show"
    trusted = [label for label in labels if label not in live.target_labels]
    return f"{text}; prometheus.targetLabels does not list {', '.join(trusted)}" if trusted else text


def _mismatch(judged: Sequence[Matcher], series: Sequence[Series], live: Live) -> str:
    """Which matcher lets no series through, with the values that there are."""
    for matcher in judged:
        test = passes(matcher)
        if any(test(one.labels.get(matcher.label, "")) for one in series):
            continue
        text = matchers_text((matcher,))
        values = sorted({one.labels[matcher.label] for one in series if matcher.label in one.labels})
        if values:
            more = f" and {len(values) - _FEW} more" if len(values) > _FEW else ""
            return f"no series matches {text}; {matcher.label} is {', '.join(map(repr, values[:_FEW]))}{more}"
        labels = sorted({label for one in series for label in one.labels} - {"le"})
        close = near_miss(matcher.label, _known_labels(labels, live))
        meant = f"; did you mean {close}?" if close is not None else ""
        return f"no series has the label {matcher.label} of {text}; its labels are {', '.join(labels) or 'none'}{meant}"
    return f"no series matches all of {matchers_text(judged)}"


def matched_series(page: Page, name: str, read: Read, live: Live) -> list[Series]:
    """The series of a name that the matchers let through, as far as the page can answer them."""
    series = page.series.get(name, [])
    judged, _ = judged_matchers(read, series, live)
    return page.matching(name, judged)
