"""SLO306 and SLO307: waivers lift findings, for a reason and until a date."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity, warning
from slo_compiler.ir import Spec

# Judgements that an owner may accept; a broken spec cannot be waived.
WAIVABLE = frozenset((Code.SLO301, Code.SLO302, Code.SLO305, Code.SLO308, Code.SLO405, Code.SLO407, Code.SLO408))


def apply_waivers(
    spec: Spec, found: Sequence[Diagnostic], today: datetime.date | None = None, *, whole: bool = True
) -> Iterator[Diagnostic]:
    """The findings with what the spec waives turned into information.

    Args:
        today: judges expiry; None (a compilation) does not, so that outputs never depend on the day.
        whole: all of the spec was resolved and judged; only then is it known that a waiver waives nothing.
    """
    waivers = {waiver.code: waiver for waiver in spec.waivers}
    used = set()
    for diagnostic in found:
        waiver = waivers.get(diagnostic.code.name)
        if waiver is None or diagnostic.code not in WAIVABLE:
            yield diagnostic
            continue
        used.add(waiver.code)
        expired = today is not None and today > waiver.until
        if expired:
            yield diagnostic
        else:
            message = f"{diagnostic.message}; waived until {waiver.until}: {waiver.reason}"
            hint = f"nothing to do before {waiver.until}"
            yield replace(diagnostic, severity=Severity.INFO, message=message, hint=hint)
    for waiver in spec.waivers:
        if waiver.code not in used:
            if not whole:
                continue
            known = {code.name for code in WAIVABLE}
            hint = "remove it" if waiver.code in known else f"these can be waived: {', '.join(sorted(known))}"
            yield warning(Code.SLO307, waiver.where, f"the waiver of {waiver.code} waives nothing", hint)
        elif today is not None and today > waiver.until:
            message = f"the waiver of {waiver.code} ended on {waiver.until}"
            yield warning(Code.SLO306, waiver.where, message, "meet the promise, or agree on a new date")
