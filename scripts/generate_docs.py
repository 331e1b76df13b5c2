"""Writes the generated pages under docs/ from the same sources that the compiler reads.

Usage: python scripts/generate_docs.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from slo_compiler.breaches import breach_answers, read_for
from slo_compiler.cli import COMMANDS, cli
from slo_compiler.describe_catalog import entries_of, markdown_context, markdown_environment
from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents import facts
from slo_compiler.documents.engine import Engine
from slo_compiler.documents.inference_slo import InferenceSLOSpec, Objective
from slo_compiler.documents.sight import UNSEEN_TITLES, BreachType, Unseen
from slo_compiler.engine_versions import known_versions, resolve_engine
from slo_compiler.engines import ResolvedEngine, load_builtin_engines
from slo_compiler.shipped_catalog import load_builtin_catalog
from slo_compiler.slis import Sli, load_slis
from slo_compiler.units import Duration

DOCS = Path(__file__).resolve().parent.parent / "docs"
_HELP_WIDTH = 90


@dataclass(frozen=True, slots=True)
class Cell:
    """What an engine version has for one SLI: the names of its metrics and the edges that all of them have."""

    names: tuple[str, ...]
    edges: str


def pages() -> dict[str, str]:
    """The generated pages by file name."""
    contexts = {
        "annotations.md": _annotations(),
        "catalog.md": _catalog(),
        "commands.md": {"commands": list(_commands())},
        "diagnostics.md": {"codes": list(Code)},
        "engines.md": _engines(),
    }
    environment = markdown_environment()
    return {
        name: environment.get_template(f"docs/{name}.j2").render(context).rstrip("\n") + "\n"
        for name, context in contexts.items()
    }


def _annotations() -> dict[str, Any]:
    places = {
        facts.NAME: "metadata.name of the InferenceSLO",
        facts.OBJECTIVE: "name of the objective",
        facts.VARIANT: "name of the variant",
        facts.VARIANT_SELECTOR: "selector of the variant",
        "display-name": "metadata.displayName of the InferenceSLO",
        "id": "the pinned slo_id",
        "review-by": "the day of the next review",
        "runbook": "the runbook's address",
    }
    for key in facts.known_keys():
        if key in places:
            continue
        path = key.replace(".N", ".0")
        of_objective = facts.path_of(path, Objective)
        found = of_objective or facts.path_of(path, InferenceSLOSpec)
        assert found is not None, key
        owner = "objective" if of_objective else "spec"
        places[key] = owner + "".join("[N]" if isinstance(part, int) else f".{part}" for part in found)
    return {"name": facts.NAME, "rows": [{"key": key, "field": field} for key, field in sorted(places.items())]}


def _catalog() -> dict[str, Any]:
    catalog = load_builtin_catalog()
    return markdown_context(entries_of(catalog), catalog.sources)


def _commands() -> Iterator[dict[str, str]]:
    root = click.Context(cli, info_name="slo-compiler", terminal_width=_HELP_WIDTH, max_content_width=_HELP_WIDTH)
    root.help_option_names = ["-h", "--help"]
    yield {"name": "slo-compiler", "help": cli.get_help(root)}
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None  # the table names it
        yield from _help(command, name, root)


def _help(command: click.Command, name: str, parent: click.Context) -> Iterator[dict[str, str]]:
    context = click.Context(command, info_name=name, parent=parent)
    yield {"name": context.command_path, "help": command.get_help(context)}
    if isinstance(command, click.Group):
        for part in command.list_commands(context):
            found = command.get_command(context, part)
            assert found is not None  # the group lists it
            yield from _help(found, part, context)


def _engines() -> dict[str, Any]:
    slis = [sli for sli in load_slis().values() if sli.roles]
    engines = list(load_builtin_engines().values())
    newest = [resolve_engine(engine, next(iter(known_versions(engine)[::-1]), None)) for engine in engines]
    return {
        "slis": slis,
        "overview": [_overview(engine, slis) for engine in newest],
        "prompt_classes": [(engine, engine.document.spec.prompt_classes) for engine in newest],
        "breach_types": list(BreachType),
        "breaches": [(engine, list(breach_answers(engine).values())) for engine in newest],
        "engines": [_engine(engine, slis) for engine in engines],
    }


def _overview(engine: ResolvedEngine, slis: list[Sli]) -> dict[str, Any]:
    """What an engine's newest known version answers for, and in words why not for the rest."""
    cells = [
        (read_for(engine, sli), _why(engine, sli))
        for sli in (*slis, *(load_slis()[name] for name in ("completion", "availability")))
    ]
    return {"name": engine.name, "title": engine.title, "cells": cells}


def _why(engine: ResolvedEngine, sli: Sli) -> str:
    return "; ".join(filter(None, (engine.lacks(sli.name), *engine.refused(sli.roles))))


def _unsaid(*, boundary: bool) -> dict[str, str]:
    """What holds where a document says nothing of its own, by the title of what cannot be seen."""
    killed = "what a process has counted since its last scrape is lost with it; SLOSourceAbsent says that it is gone."
    if boundary:
        killed = f"an engine that dies behind it shows as answers that fail; of the gateway itself, {killed}"
    unknown = "not looked up; count on nothing that tells."
    said = {Unseen.CLIENT_LEFT: unknown, Unseen.ERROR_IN_STREAM: unknown, Unseen.KILLED: killed}
    return {_capital(UNSEEN_TITLES[unseen]): text for unseen, text in said.items()}


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _engine(engine: Engine, slis: list[Sli]) -> dict[str, Any]:
    versions = {minor: resolve_engine(engine, minor) for minor in known_versions(engine)}
    versions = versions or {"every version": resolve_engine(engine, None)}
    rows = {minor: tuple(_cell(resolved, sli) for sli in slis) for minor, resolved in versions.items()}
    return {
        "document": engine,
        "names": _runs({minor: tuple(cell.names for cell in cells) for minor, cells in rows.items()}),
        "edges": [
            (sli, span, edges)
            for index, sli in enumerate(slis)
            for span, edges in _runs({minor: cells[index].edges for minor, cells in rows.items()})
            if edges
        ],
        "unseen": [
            (_capital(title), [(spot.slis, spot.says) for spot in engine.spec.unseen if spot.unseen is unseen])
            for unseen, title in UNSEEN_TITLES.items()
        ],
        "unsaid": _unsaid(boundary=engine.spec.boundary),
        "others": [spot for spot in engine.spec.blind_spots if isinstance(spot, str)],
        "settings": [(choice.versions, choice.setting) for choice in engine.spec.buckets_configurable],
    }


def _cell(engine: ResolvedEngine, sli: Sli) -> Cell:
    names = read_for(engine, sli)
    return Cell(names, ", ".join(_duration(edge) for edge in engine.edges_of(sli.roles)) if names else "")


def _duration(edge: Decimal) -> str:
    return str(Duration(edge))


def _runs(values: dict[str, Any]) -> list[tuple[str, Any]]:
    """Neighbouring versions with equal values as one: `0.8`, `0.9 to 0.10`."""
    found = []
    for value, run in groupby(values.items(), key=lambda item: item[1]):
        minors = [minor for minor, _ in run]
        found.append((minors[0] if len(minors) == 1 else f"{minors[0]} to {minors[-1]}", value))
    return found


def main() -> None:
    """Writes every page and says which."""
    DOCS.mkdir(exist_ok=True)
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
