"""Results of `check-metrics` as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby

from slo_compiler.live.results import Result
from slo_compiler.plain_text import BAD, GOOD, indented, visible

SCHEMA = "slo-compiler/check-metrics/v1"
_MARKS = {True: "ok", False: "BROKEN", None: "?"}
_COLOURS = {True: GOOD, False: BAD, None: "33"}


def to_text(results: Sequence[Result], *, width: int, colour: bool, fixes: bool) -> str:
    """A table per SLO, then how many are broken; `fixes` adds what the specs could say instead."""
    blocks = []
    for (service, slo, sli), found in groupby(results, key=lambda result: result[:3]):
        own = list(found)
        rows = [
            (_MARKS[result.ok], result.check.value, visible(f"{result.metric} {result.message}".strip()))
            for result in own
        ]
        colours = [_COLOURS[result.ok] for result in own] if colour else []
        lines = [f"{service}/{slo} ({sli})", *indented(rows, width, colours)]
        if fixes:
            lines += [f"  fix: {fix}" for fix in dict.fromkeys(result.fix for result in own if result.fix)]
        blocks.append("\n".join(lines))
    broken = sum(result.ok is False for result in results)
    unknown = sum(result.ok is None for result in results)
    total = f"{len(results)} checks: {broken} broken" if broken else f"{len(results)} checks: none broken"
    blocks.append(f"{total}, {unknown} that cannot be told" if unknown else total)
    return "\n\n".join(blocks)


def to_json(results: Sequence[Result]) -> str:
    """One document, schema `slo-compiler/check-metrics/v1`."""
    document = {
        "schema": SCHEMA,
        "summary": {"broken": sum(result.ok is False for result in results)},
        "results": [
            {
                "service": result.service,
                "slo": result.slo,
                "sli": result.sli,
                "check": result.check.value,
                "ok": result.ok,
                "metric": result.metric,
                "message": result.message,
                "fix": result.fix or None,
            }
            for result in results
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
