"""The page of all SLOs: its data, style and scripts in one file that asks no server for anything."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache

import jinja2

from slo_compiler.resources import template_path


def page_text(entries: Iterable[str]) -> str:
    """The page of the documents of all specs, as `entry_text` writes them."""
    specs = [json.loads(entry) for entry in entries]
    return _templates().get_template("index.html.j2").render(specs=specs)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_path("catalogue")),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
