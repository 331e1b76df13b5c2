"""Pages from Jinja2 templates: the shipped ones, or a repository's own in a sandbox, with every value escaped."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from slo_compiler.emit.own_words import empty_section
from slo_compiler.emit.user_templates import TemplateFault, UserTemplates
from slo_compiler.plain_text import escape_markdown, percent_encoded, visible
from slo_compiler.resources import template_path

_BUILTIN = "builtin/"
_LONGEST_PRODUCT = 100_000


def render(name: str, own: UserTemplates, values: Mapping[str, Any]) -> str:
    """The page of a template, the user's own where there is one of that name.

    A user's template may extend or include a shipped one as `builtin/<name>`.

    Raises:
        TemplateFault: a template of the user's is broken.
    """
    environment = _environment(own)
    try:
        return environment.get_template(name).render(values)
    except Exception as fault:  # whatever a template does, its author wants to know the line
        raise _located(fault, name, own) or fault from None


class _Environment(SandboxedEnvironment):
    """A sandbox in which nothing can be multiplied until the memory is full."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Numbers may be multiplied, texts and lists only into short ones, and nothing is raised to a power."""
        sizes = [len(side) if hasattr(side, "__len__") else abs(side) for side in (left, right)]
        if operator == "**" or sizes[0] * sizes[1] > _LONGEST_PRODUCT:
            raise SecurityError(f"{operator} makes too much")
        return super().call_binop(context, operator, left, right)


@functools.lru_cache(maxsize=8)
def _environment(own: UserTemplates) -> _Environment:
    texts = dict(own.texts)
    shipped = jinja2.FileSystemLoader(template_path())

    def load(name: str) -> tuple[str, str, None] | None:
        if name in texts:
            return texts[name], f"{own.folder}/{name}", None
        try:
            source, path, _ = shipped.get_source(environment, name.removeprefix(_BUILTIN))
        except jinja2.TemplateNotFound:
            return None
        return source, path, None

    environment = _Environment(
        loader=jinja2.FunctionLoader(load),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals = {"own": _own, "range": environment.globals["range"]}
    environment.filters |= {"code": _code, "fence": _fence, "link": _link, "listed": _listed}
    return environment


def _shown(value: object) -> Markup:
    """What a template prints: text as Markdown shows it as it is; what a filter made stays."""
    return value if isinstance(value, Markup) else Markup(escape_markdown(visible(str(value))))


def _own(name: object) -> Markup:
    return Markup(empty_section(str(name)))


def _code(value: object) -> Markup:
    """Inline code, in a table as well."""
    text = " ".join(visible(str(value)).split()).replace("|", "\\|")
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if "`" in text else ""
    return Markup(f"{ticks}{pad}{text}{pad}{ticks}")


def _fence(value: object, language: str = "") -> Markup:
    """A block of code with every line as it is, longer fenced than anything in it."""
    # A line of it that looks like a comment of ours is none.
    text = "\n".join(visible(line) for line in str(value).split("\n")).replace("<!-- slo", "<!- - slo")
    ticks = "`" * max(3, _longest_run(text) + 1)
    return Markup(f"{ticks}{language}\n{text}\n{ticks}")


def _link(address: object, text: object) -> Markup:
    """A link; what an address may not hold is written with percent signs."""
    target = percent_encoded(str(address), "-._~:/?#@!$&'*+,;=%")
    return Markup(f"[{_shown(text)}](<{target}>)")


def _listed(values: Any) -> str:
    """`a, b and c`."""
    items = [str(value) for value in values]
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else ""


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _located(fault: Exception, name: str, own: UserTemplates) -> TemplateFault | None:
    """The fault with the place in a user's template that it comes from; None where it comes from a shipped one."""
    names = [template for template, _ in own.texts]
    if isinstance(fault, jinja2.TemplateSyntaxError):
        if fault.name not in names:
            return None
        return TemplateFault(f"{own.folder}/{fault.name}", fault.lineno, fault.message or "it cannot be read")
    place: tuple[str, int] | None = None
    trace = fault.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if own.folder and path in {f"{own.folder}/{template}" for template in names}:
            place = (path, trace.tb_lineno)
        trace = trace.tb_next
    if place is None and name not in names:
        return None
    message = str(fault) or type(fault).__name__
    if isinstance(fault, jinja2.TemplateNotFound):
        message = f"there is no template {fault.name}"
    path, line = place or (f"{own.folder}/{name}", 1)
    return TemplateFault(path, line, " ".join(message.split()))
