"""SLO509 and SLO510: the period has left a budget adjustment behind, or it is about a day to come."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, warning
from slo_compiler.ir import Spec

_DAY = 86400


def check(spec: Spec, today: datetime.date | None) -> Iterator[Diagnostic]:
    """Judges `budgetAdjustments` by a day of UTC; without one, as in a compilation, nothing is judged."""
    if today is None:
        return
    begin = int(datetime.datetime.combine(today, datetime.time(), datetime.UTC).timestamp())
    told = {(item, slo.period.length) for slo in spec.slos for item in slo.adjustments}
    for item, period in sorted(told):
        if item.begin >= begin + _DAY:
            message = f"the adjustment of {item} begins after today, {today}: its events would never count"
            hint = "write what has happened; what is planned is an exemption, such as kind: maintenance"
            yield warning(Code.SLO510, item.where, message, hint)
        elif item.end + period.seconds < begin:
            message = f"the adjustment ended at {item.end_text}, over {period} before {today}, and adjusts nothing"
            yield warning(Code.SLO509, item.where, message, "remove it")
