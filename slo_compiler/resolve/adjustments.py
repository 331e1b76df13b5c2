"""`budgetAdjustments` of a spec: incidents that lie apart and leave at least half of any period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from slo_compiler.diagnostics.codes import Code
from slo_compiler.ir import Adjustment, Window
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.findings import Findings
from slo_compiler.units import Duration

if TYPE_CHECKING:
    from slo_compiler.documents.exemptions import BudgetAdjustmentDocument  # few specs have any

_PATH: Path = ("spec", "budgetAdjustments")


def read_adjustments(
    documents: Sequence[BudgetAdjustmentDocument], period: Window, findings: Findings
) -> tuple[Adjustment, ...]:
    """The adjustments, ascending; one that ends before it begins, overlaps another or takes too much is a finding."""
    found: list[Adjustment] = []
    for index, document in enumerate(documents):
        path: Path = (*_PATH, index)
        begin, end = int(document.from_.timestamp()), int(document.to.timestamp())
        item = Adjustment(begin, end, " ".join(document.reason.split()), findings.span((*path, "from")))
        other = next((known for known in found if begin < known.end and known.begin < end), None)
        taken = Duration.of(_most_within(int(period.length.seconds), [*found, item]))
        if end <= begin:
            message = f"the adjustment begins at {item.begin_text} and ends at {item.end_text}, which is no later"
            hint = f"from: {item.end_text}, to: {item.begin_text}" if end < begin else "to: the end of the incident"
            findings.error(Code.SLO203, (*path, "to"), message, hint)
        elif other is not None:
            message = f"the adjustment of {item} overlaps the one of line {other.where.line}, of {other}"
            both = item._replace(begin=min(begin, other.begin), end=max(end, other.end))
            hint = f"one for both: {{from: {both.begin_text}, to: {both.end_text}, reason: ...}}"
            findings.error(Code.SLO203, (*path, "from"), message, hint)
        elif taken.seconds * 2 > period.length.seconds:
            alone = (end - begin) * 2 > period.length.seconds
            what = (
                f"the adjustment takes {Duration.of(end - begin)}"
                if alone
                else f"with this one, adjustments take {taken}"
            )
            message = f"{what} of a period of {period.length}, over half of it"
            hint = (
                f"leave out {Duration(period.length.seconds / 2)} at most; a promise that did not hold can be lowered"
            )
            findings.error(Code.SLO203, (*path, "to"), message, hint)
        else:
            found.append(item)
    return tuple(sorted(found))


def _most_within(length: int, items: Sequence[Adjustment]) -> int:
    """The most seconds that a window of some length can have of the items: one begins, or ends, where one of them does."""
    begins = [moment for item in items for moment in (item.begin, item.end - length)]
    return max(
        sum(max(0, min(item.end, begin + length) - max(item.begin, begin)) for item in items) for begin in begins
    )
