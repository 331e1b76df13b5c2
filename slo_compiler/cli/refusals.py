"""Why a compilation writes nothing although its specs are sound, as diagnostics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Span, error
from slo_compiler.emit.user_templates import TemplateFault, UserTemplates
from slo_compiler.ir import Spec
from slo_compiler.write.kept_words import WordsLost
from slo_compiler.write.session import Refused


def of_template(fault: TemplateFault) -> Diagnostic:
    """A template of the repository's own that is broken."""
    hint = "slo-compiler explain SLO605 says what a template may name"
    return error(Code.SLO605, Span(fault.path, fault.line, 1, fault.line, 1), fault.message, hint)


def lines_of(fault: TemplateFault, templates: UserTemplates) -> dict[str, Sequence[str]]:
    """The text of the template that is broken."""
    texts = {f"{templates.folder}/{name}": text.splitlines() for name, text in templates.texts}
    return {fault.path: texts[fault.path]} if fault.path in texts else {}


def of_flavour(specs: Sequence[Spec], flavour: str) -> list[Diagnostic]:
    """Specs that the server of a flavour cannot evaluate."""
    from slo_compiler.emit.flavours import FLAVOURS

    reasons = [(spec, FLAVOURS[flavour].refuses(spec)) for spec in specs]
    hint = "compile it for a Prometheus, Mimir or Thanos Ruler, or leave the exemptions out"
    return [
        error(Code.SLO206, spec.where["name"], f"{spec.name} cannot be compiled for {flavour}: {reason}", hint)
        for spec, reason in reasons
        if reason
    ]


def of_words(found: WordsLost, out: Path) -> list[Diagnostic]:
    """Words of the team that would be lost."""
    return [
        error(Code.SLO604, Span((out / loss.path).as_posix(), loss.line, 1, loss.line, 1), loss.reason, loss.hint)
        for loss in found.losses
    ]


def of_foreign(refusal: Refused, out: Path) -> list[Diagnostic]:
    """Files that stand where outputs would."""
    return [
        error(Code.SLO602, Span((out / foreign.path).as_posix()), foreign.reason, foreign.hint)
        for foreign in refusal.foreign
    ]
