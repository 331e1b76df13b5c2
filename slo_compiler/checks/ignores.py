"""SLO208: comments that silence warnings and information on a line, for a reason; and those that silence nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slo_compiler.checks.waivers import WAIVABLE
from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity, Span, warning
from slo_compiler.diagnostics.nearest import did_you_mean, nearest
from slo_compiler.load.directives import Directive

_VERB = re.compile(r"#+[ \t]*slo-compiler:[ \t]*([A-Za-z-]*)")
_LIKE_A_CODE = r"[A-Za-z]*[-_]?[0-9]+(?![A-Za-z0-9%.])"
_CODES = re.compile(rf"[ \t:]*({_LIKE_A_CODE}(?:[ \t]*,[ \t]*{_LIKE_A_CODE})*)")
_CODE = re.compile(_LIKE_A_CODE)
_BEFORE_A_REASON = " \t,:;-–—"
# Seen only beside other specs, and a run need not look at all of them.
_NEEDS_OTHERS = frozenset((Code.SLO405,))
# Seen only where the day is known.
_NEEDS_THE_DAY = frozenset((Code.SLO306, Code.SLO311))


@dataclass(slots=True)
class _Ignore:
    """One code of one comment.

    Attributes:
        place: where the comment names the code.
        line: the line that it is for; None where no YAML follows.
    """

    code: Code
    place: Span
    line: int | None
    used: bool = False
    on_error: bool = False


def apply_ignores(found: Sequence[Diagnostic], directives: Sequence[Directive], *, dated: bool) -> list[Diagnostic]:
    """The findings without those that comments silence, and with those about the comments themselves.

    Args:
        found: all findings of the run.
        dated: whether waivers were judged by a day.
    """
    parts = [part for directive in directives for part in _read(directive)]
    ignores = [part for part in parts if isinstance(part, _Ignore)]
    faults = [part for part in parts if isinstance(part, Diagnostic)]
    kept = _silence(found, ignores)
    broken = {item.span.path for item in found if item.severity is Severity.ERROR}
    lines: dict[tuple[str, Code], list[int]] = {}
    for item in found:
        lines.setdefault((item.span.path, item.code), []).append(item.span.line)
    unseen = _NEEDS_OTHERS if dated else _NEEDS_OTHERS | _NEEDS_THE_DAY
    for ignore in ignores:
        if ignore.on_error:
            faults.append(_on_error(ignore))
        elif not ignore.used and ignore.place.path not in broken and ignore.code not in unseen:
            faults.append(_unused(ignore, lines.get((ignore.place.path, ignore.code), [])))
    return [*kept, *faults]


def _read(directive: Directive) -> Iterator[_Ignore | Diagnostic]:
    """What a comment ignores, and what is wrong with it. A comment about something else yields nothing."""
    text = directive.text
    verb = _VERB.match(text)
    assert verb is not None  # that is what makes it a directive
    if verb[1] != "ignore":
        if nearest(verb[1], ["ignore"]) is not None:
            place = _part(directive, verb.start(1), verb.end(1))
            yield warning(Code.SLO208, place, f"{verb[1]} is no word of slo-compiler", "did you mean ignore?")
        return
    named = _CODES.match(text, verb.end())
    if named is None:
        message = "the ignore names no code, so it silences nothing"
        yield warning(Code.SLO208, directive.span, message, "# slo-compiler: ignore SLO403 agreed with support")
        return
    words = [(match[0], match.span()) for match in _CODE.finditer(text, named.start(1), named.end(1))]
    reason = text[named.end(1) :].lstrip(_BEFORE_A_REASON)
    listed = ", ".join(word.upper() for word, _ in words)
    if not reason:
        message = f"the ignore of {listed} gives no reason, so it silences nothing"
        yield warning(Code.SLO208, directive.span, message, f"# slo-compiler: ignore {listed} agreed with support")
        return
    first = reason.split()[0].strip(_BEFORE_A_REASON)
    if first.upper() in Code.__members__:
        message = f"{first} is read as the reason, so that nothing is silenced: commas part codes"
        hint = f"# slo-compiler: ignore {listed}, {first.upper()} agreed with support"
        yield warning(Code.SLO208, directive.span, message, hint)
        return
    for word, (start, end) in words:
        code = Code.__members__.get(word.upper())
        place = _part(directive, start, end)
        if code is None:
            hint = did_you_mean(word, Code.__members__)
            yield warning(Code.SLO208, place, f"no diagnostic has the code {word}", hint)
        else:
            yield _Ignore(code, place, directive.line)


def _part(directive: Directive, start: int, end: int) -> Span:
    path, line, column = directive.span[:3]
    return Span(path, line, column + start, line, column + max(end, start + 1))


def _silence(found: Sequence[Diagnostic], ignores: Sequence[_Ignore]) -> list[Diagnostic]:
    """The findings that stay; notes at each ignore what it met."""
    by_place: dict[tuple[str, int | None, Code], list[_Ignore]] = {}
    for ignore in ignores:
        by_place.setdefault((ignore.place.path, ignore.line, ignore.code), []).append(ignore)
    kept = []
    for diagnostic in found:
        met = by_place.get((diagnostic.span.path, diagnostic.span.line, diagnostic.code), ())
        is_error = diagnostic.severity is Severity.ERROR
        for ignore in met:
            ignore.on_error |= is_error
            ignore.used |= not is_error
        if is_error or not met:
            kept.append(diagnostic)
    return kept


def _on_error(ignore: _Ignore) -> Diagnostic:
    name = ignore.code.name
    message = f"{name} on line {ignore.line} is an error, and an ignore silences warnings and information only"
    hint = "mend what it says"
    if ignore.code in WAIVABLE:
        hint = f"waivers: [{{code: {name}, reason: agreed with support, until: 2027-03-01}}] in the spec lifts it"
    return warning(Code.SLO208, ignore.place, message, hint)


def _unused(ignore: _Ignore, lines: Sequence[int]) -> Diagnostic:
    name = ignore.code.name
    where = "no YAML follows it" if ignore.line is None else f"line {ignore.line} has no such finding"
    hint = f"remove {name}"
    if lines:
        closest = min(lines, key=lambda line: abs(line - ignore.place.line))
        hint = f"put it on line {closest}, which has one"
    return warning(Code.SLO208, ignore.place, f"the ignore of {name} silences nothing: {where}", hint)
