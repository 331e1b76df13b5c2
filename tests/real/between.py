"""Two pages of a live program as scrapes of a compiled spec: what its expressions count between them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from slo_compiler.live.pages import Page
from slo_compiler.promql import names
from slo_compiler.promql.build import string
from tests.promtool_case import Case, Course, compile_text

SLOW = 240
# The first page in the first slow step and a part of the second, the second page from there to the end of the third.
CHANGE, END = 305, 720
WITHIN = 0.01


def labels_text(labels: Mapping[str, str]) -> str:
    """Labels as PromQL writes them."""
    return "{" + ",".join(f"{label}={string(value)}" for label, value in labels.items()) + "}"


def prove_counts(
    folder: Path,
    spec: str,
    target: Mapping[str, str],
    pages: tuple[Page, Page],
    counts: Mapping[str, tuple[float, float]],
) -> None:
    """Has promtool evaluate the compiled rules on both pages.

    Args:
        spec: the text of one spec.
        target: labels that scraping adds.
        counts: events and bad ones between the pages, by SLO.
    """
    found = compile_text(folder, spec)
    assert found.spec is not None, found.diagnostics
    case = Case(found, END, step=SLOW)
    case.scraped(f"up{labels_text(target)}", lambda _: 1)
    before, after = pages
    for metric, series in after.series.items():
        earlier = {frozenset(labels.items()): value for labels, value in before.series.get(metric, ())}
        for labels, value in series:
            course = _course(earlier.get(frozenset(labels.items())), value)
            case.scraped(f"{metric}{labels_text({**labels, **target})}", course)
    for slo, (events, bad) in counts.items():
        selected = f"{{slo_id={string(slo)}}}[{END}s]"
        # What stands at 0 is not extrapolated beyond its first scrape, 5 of the 255 seconds that a tile reads.
        slack = max(0.4, events * 0.025)
        for tiles, count in ((names.EVENTS, events), (names.BAD_EVENTS, bad)):
            case.between(END, f"sum_over_time({tiles['slow']}{selected})", count - slack, count + slack)
    case.prove()


def _course(before: float | None, after: float) -> Course:
    return lambda time: before if time < CHANGE else after
