"""SLO311: the day by which the owner wanted to look at the spec again is over."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, warning
from slo_compiler.ir import Spec


def check(spec: Spec, today: datetime.date | None) -> Iterator[Diagnostic]:
    """Judges the annotation `review-by`; without a day, as in a compilation, nothing is judged."""
    if today is not None and spec.review_by is not None and today > spec.review_by:
        message = f"this spec was to be reviewed by {spec.review_by}"
        hint = "look at attainment and targets again, and set a new date"
        yield warning(Code.SLO311, spec.where["review"], message, hint)
