"""What a report is made of, whatever its format."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.diagnostics.limit import cut

WIDTH = 160  # where no terminal says how wide it is


class Report(NamedTuple):
    """Findings, and how they are to be shown.

    Attributes:
        diagnostics: all of them, in the order in which they are to be shown.
        sources: the lines of each file by path; of a missing file no line is shown.
        files: how many files were read.
        limit: show so many at most; 0 shows all.
        colour: whether to use ANSI colours, in formats that have any.
        width: columns of the terminal, for formats that fit their lines to it.
    """

    diagnostics: Sequence[Diagnostic]
    sources: Mapping[str, Sequence[str]]
    files: int
    limit: int = 0
    colour: bool = False
    width: int = WIDTH

    def cut(self) -> tuple[Sequence[Diagnostic], dict[Code, int]]:
        """The findings to show, and how many others there are of each code."""
        return cut(self.diagnostics, self.limit)
