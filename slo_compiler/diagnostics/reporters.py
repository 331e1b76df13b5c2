"""The formats in which findings are shown."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from slo_compiler.diagnostics.diagnostic import Diagnostic


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


# Format -> module and function; a module is imported when its format is asked for.
REPORTERS: dict[str, tuple[str, str]] = {
    "text": ("slo_compiler.diagnostics.report_text", "render_text"),
    "json": ("slo_compiler.diagnostics.report_json", "render_json"),
    "sarif": ("slo_compiler.diagnostics.report_sarif", "render_sarif"),
    "github": ("slo_compiler.diagnostics.report_github", "render_github"),
    "gitlab": ("slo_compiler.diagnostics.report_gitlab", "render_gitlab"),
}
# Those that people read as they stand; the others are for programs.
FOR_PEOPLE = ("text", "github")


def reporter(output: str) -> Reporter:
    """What renders findings in a format of `REPORTERS`."""
    module, function = REPORTERS[output]
    return cast(Reporter, getattr(importlib.import_module(module), function))
