"""The formats in which findings are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.diagnostics.report_github import render_github
from slo_compiler.diagnostics.report_gitlab import render_gitlab
from slo_compiler.diagnostics.report_json import render_json
from slo_compiler.diagnostics.report_sarif import render_sarif
from slo_compiler.diagnostics.report_text import render_text


class Reporter(Protocol):
    """Turns findings into one text."""

    def __call__(
        self,
        diagnostics: Sequence[Diagnostic],
        sources: Mapping[str, Sequence[str]],
        *,
        colour: bool = ...,
        files: int,
        limit: int = ...,
        width: int = ...,
    ) -> str: ...


REPORTERS: dict[str, Reporter] = {
    "text": render_text,
    "json": render_json,
    "sarif": render_sarif,
    "github": render_github,
    "gitlab": render_gitlab,
}
# Those that people read as they stand; the others are for programs.
FOR_PEOPLE = ("text", "github")
