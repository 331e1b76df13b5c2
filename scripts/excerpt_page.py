"""Cuts a metrics page down to what an engine document names: whole families, every line as the program wrote it.

Usage: python scripts/excerpt_page.py PAGE ENGINE [NOTE]... > tests/pages/<engine>-<version>.prom

PAGE is a saved scrape, ENGINE the name of an engine that ships or the path of an `Engine` document. Each NOTE is a line
of comment at the top: the program, its version, and what was sent to it before the scrape.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from slo_compiler.documents.engine import Engine
from slo_compiler.documents.read import read_document
from slo_compiler.engines import load_builtin_engines
from slo_compiler.load.yaml import load_bytes

_ENDS = ("", "_bucket", "_count", "_sum")
_NAME = re.compile(r"(?:# (?:HELP|TYPE) )?([a-zA-Z_:][a-zA-Z0-9_:]*)")


def excerpt(page: str, engine: Engine, notes: Iterable[str] = ()) -> Iterator[str]:
    """The lines of a page that belong to a metric of the document, after the notes as comments."""
    families = {metric.name for metric in engine.spec.metrics}
    # As the Python client of OpenMetrics declares them, and as most others do.
    declared = families | {name.removesuffix("_total") for name in families}
    samples = {f"{name}{end}" for name in families for end in _ENDS}
    for note in notes:
        yield f"# {note}"
    for line in page.splitlines():
        match = _NAME.match(line)
        if match is not None and match[1] in (declared if line.startswith("#") else samples):
            yield line


def engine_of(name: str) -> Engine:
    """The engine document of a path, or the one of that name that ships.

    Raises:
        ValueError: the file holds no `Engine`; the message says what is wrong.
        KeyError: no engine of that name ships.
    """
    if not Path(name).is_file():
        return load_builtin_engines()[name]
    loaded = load_bytes(Path(name).read_bytes(), name)
    for source in loaded.documents:
        document, found = read_document(source)
        if isinstance(document, Engine):
            return document
        loaded.diagnostics += found
    raise ValueError("\n".join([f"{name} holds no Engine", *(item.message for item in loaded.diagnostics)]))


def main(arguments: list[str]) -> int:
    """Prints the excerpt."""
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    page, name, *notes = arguments
    try:
        engine = engine_of(name)
    except (KeyError, ValueError) as fault:
        print(f"{name}: {fault}", file=sys.stderr)
        return 1
    print("\n".join(excerpt(Path(page).read_text(encoding="utf-8"), engine, notes)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
