"""Judgements over the resolved form: one rule per file, a generator of diagnostics, one line in a table here."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence

from slo_compiler.checks import (
    adjustments_out_of_time,
    batch_without_completion,
    class_and_use_case_disagree,
    e2e_against_ttft_and_itl,
    endpoint_not_filtered,
    names_used_twice,
    no_boundary_availability,
    no_target_label,
    period_beyond_retention,
    review_overdue,
    scraped_twice,
    selectors_may_overlap,
    threshold_above_ceiling,
    threshold_tighter_than_use_case,
)
from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.ir import Spec

SpecCheck = Callable[[Spec], Iterable[Diagnostic]]
DateCheck = Callable[[Spec, datetime.date | None], Iterable[Diagnostic]]
FleetCheck = Callable[[Sequence[Spec]], Iterable[tuple[Spec, Diagnostic]]]

# Each looks at what one spec has.
SPEC_CHECKS: dict[str, SpecCheck] = {
    "class_and_use_case_disagree": class_and_use_case_disagree.check,
    "e2e_against_ttft_and_itl": e2e_against_ttft_and_itl.check,
    "period_beyond_retention": period_beyond_retention.check,
    "threshold_above_ceiling": threshold_above_ceiling.check,
    "threshold_tighter_than_use_case": threshold_tighter_than_use_case.check,
}
# Each looks at what one spec lacks, so that only a spec of which everything could be resolved is judged.
ABSENCE_CHECKS: dict[str, SpecCheck] = {
    "batch_without_completion": batch_without_completion.check,
    "no_boundary_availability": no_boundary_availability.check,
    "no_target_label": no_target_label.check,
}
# Each looks at one spec and a day, which only `validate` knows.
DATE_CHECKS: dict[str, DateCheck] = {
    "adjustments_out_of_time": adjustments_out_of_time.check,
    "review_overdue": review_overdue.check,
}
# Each looks at all specs at once, broken ones too, and says which one a finding is about.
NAME_CHECKS: dict[str, FleetCheck] = {
    "names_used_twice": names_used_twice.check,
}
# Each looks at all specs of which everything could be resolved.
FLEET_CHECKS: dict[str, FleetCheck] = {
    "endpoint_not_filtered": endpoint_not_filtered.check,
    "scraped_twice": scraped_twice.check,
    "selectors_may_overlap": selectors_may_overlap.check,
}
