"""Every diagnostic code. The page `builtin/diagnostics/<CODE>.md` says what each means."""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """A stable code; the value is its name in one phrase. A code never changes its meaning."""

    SLO101 = "invalid YAML"
    SLO102 = "duplicate key"
    SLO103 = "input over a limit"
    SLO201 = "unknown field"
    SLO202 = "missing field"
    SLO203 = "wrong type or value"
    SLO204 = "unknown reference"
    SLO205 = "duplicate object"
    SLO206 = "cannot be compiled"
    SLO301 = "threshold over the class's ceiling"
    SLO302 = "threshold tighter than the use case"
    SLO303 = "E2E at or under TTFT"
    SLO304 = "E2E needs a lower mean ITL"
    SLO305 = "class and use case disagree"
    SLO306 = "expired waiver"
    SLO307 = "waiver that waives nothing"
    SLO308 = "batch without a completion objective"
    SLO309 = "output tokens assumed"
    SLO401 = "unknown engine or version"
    SLO402 = "metric or label not exposed"
    SLO403 = "threshold between two buckets"
    SLO404 = "threshold outside the buckets"
    SLO405 = "selectors may overlap"
    SLO406 = "endpoint not filtered"
    SLO407 = "no availability at the boundary"
    SLO408 = "no target label in the selector"
    SLO501 = "tier that cannot fire"
    SLO502 = "tier that detects late"
    SLO503 = "window over half the period"
    SLO504 = "period beyond the retention"
    SLO505 = "queries that the born term cannot follow"
    SLO601 = "unusable path or name"
    SLO602 = "foreign file in the way"
