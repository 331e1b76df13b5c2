"""The formats in which findings are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.diagnostics.report_json import render_json
from slo_compiler.diagnostics.report_text import render_text


class Reporter(Protocol):
    """Turns findings into one text."""

    def __call__(
        self,
        diagnostics: Sequence[Diagnostic],
        sources: Mapping[str, Sequence[str]],
        *,
        colour: bool,
        files: int,
        limit: int = 0,
    ) -> str: ...


REPORTERS: dict[str, Reporter] = {"text": render_text, "json": render_json}
