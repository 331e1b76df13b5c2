"""The page of each code, `builtin/diagnostics/<CODE>.md`: as it stands, and in its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.resources import builtin_path

_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```\w*\n.*?^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """A page in its parts.

    Attributes:
        severity: what findings of this code are unless the page's first lines say when they are not.
        sections: the text under each heading, in Markdown.
        text: the whole page.
    """

    code: Code
    severity: Severity
    sections: dict[str, str]
    text: str

    def plain(self, *headings: str) -> str:
        """These sections as plain text: a line per paragraph, without examples."""
        prose = _FENCE.sub("", "\n\n".join(self.sections[heading] for heading in headings))
        return "\n".join(" ".join(part.split()) for part in prose.split("\n\n") if part.strip()).replace("`", "")


def page_of(code: Code) -> str:
    """The page of a code, in Markdown.

    Raises:
        OSError: it is not there, which is a fault of the installation.
    """
    return builtin_path("diagnostics", f"{code.name}.md").read_text(encoding="utf-8")


def read_page(code: Code) -> Page:
    """The page of a code in its parts.

    Raises:
        OSError: it is not there, which is a fault of the installation.
        ValueError: it names no severity.
    """
    text = page_of(code)
    head, *rest = _SECTION.split(text)
    severity = head.partition("Severity: ")[2].partition("\n")[0]
    return Page(
        code,
        Severity(re.split(r"\W", severity)[0]),
        dict(zip(rest[::2], (part.strip() for part in rest[1::2]), strict=True)),
        text,
    )
