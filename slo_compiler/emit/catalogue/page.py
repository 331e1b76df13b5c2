"""The page of all SLOs: its data, style and scripts in one file that asks no server for anything."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

from slo_compiler.resources import template_path

_STYLE, _SCRIPTS = "page.css", ("burn.js", "page.js")


def page_text(entries: Iterable[str]) -> str:
    """The page of the documents of all specs, as `entry_text` writes them."""
    parts = _parts()
    return parts.template.render(
        policy=parts.policy, style=parts.style, scripts=parts.scripts, data=Markup(_page_data(entries))
    )


def _page_data(entries: Iterable[str]) -> str:
    """SLOs, and what several of them have in common: their specs by name, and lists of tiers by their hash.

    Each is text at once, so that memory does not hold what thousands of them say as objects, and a line, so that a
    change shows as the lines that changed.
    """
    specs: dict[str, str] = {}
    tiers: dict[str, str] = {}
    slos: list[str] = []
    for entry in entries:
        document = json.loads(entry)
        name = f"{document['service']}/{document['spec']}"
        for slo in document.pop("slos"):
            slo.pop("reads", None)  # for programs that compare; the page has the numbers
            alerts = _inline(slo["tiers"])
            key = hashlib.sha256(alerts.encode()).hexdigest()[:16]
            tiers[key] = alerts
            slos.append(_inline({**slo, "spec": name, "tiers": key}))
        specs[name] = _inline(document)
    shared = ",\n".join(f'"{kind}":{{{_lines(_pairs(table))}}}' for kind, table in (("specs", specs), ("tiers", tiers)))
    return f'{{{shared},\n"slos":[{_lines(slos)}]}}'


def _pairs(table: dict[str, str]) -> Iterator[str]:
    return (f"{_inline(key)}:{text}" for key, text in sorted(table.items()))


def _lines(items: Iterable[str]) -> str:
    return "\n" + ",\n".join(items) + "\n"


def _inline(data: Any) -> str:
    """JSON inside a script element: no text of a spec can end the element or begin a comment."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")


class _Parts(NamedTuple):
    template: jinja2.Template
    policy: str
    style: Markup
    scripts: tuple[Markup, ...]


@cache
def _parts() -> _Parts:
    """What is the same in every page; only this style and these scripts may act in it."""
    loader = jinja2.FileSystemLoader(template_path("catalogue"))
    environment = jinja2.Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style, *scripts = (loader.get_source(environment, name)[0] for name in (_STYLE, *_SCRIPTS))
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {' '.join(map(_hash, scripts))}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    template = environment.get_template("index.html.j2")
    return _Parts(template, policy, Markup(style), tuple(map(Markup, scripts)))


def _hash(text: str) -> str:
    """A text as a policy of the page allows it (Content Security Policy Level 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
