"""`expand`: specs as plain OpenSLO v1, which compile to the same rules."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import (
    FINDINGS,
    Common,
    common_options,
    fail_environment,
    load_config,
    show,
    spec_files,
)

if TYPE_CHECKING:
    from slo_compiler.ir import Spec


@click.command(
    "expand", epilog="Example: slo-compiler expand specs > openslo.yaml && slo-compiler compile openslo.yaml -o out"
)
@click.argument("paths", nargs=-1)
@click.option("-o", "--output", "folder", help="Write <service>/<spec>.yaml under this folder instead of printing.")
@click.option("--with-datasource", is_flag=True, help="Include a DataSource, which the queries then name.")
@common_options
def command(common: Common, paths: tuple[str, ...], folder: str | None, with_datasource: bool) -> None:
    """Print the InferenceSLOs under PATHS (default: as configured, else specs) as OpenSLO v1 documents.

    Documents that are OpenSLO already are printed as they stand, but for DataSources, which may hold secrets. With an
    error in any spec nothing is printed.
    """
    from slo_compiler.emit import openslo
    from slo_compiler.pipeline import check_files
    from slo_compiler.resolve.environment import Environment

    config = load_config(common)
    files = spec_files(paths, config)
    checked = check_files(files, Environment(config))
    if checked.diagnostics:
        show(checked.diagnostics, checked.lines, common, files=checked.files, limit=100)
    if checked.failed:
        sys.exit(FINDINGS)
    specs = sorted((spec for spec in checked.specs if spec.portable is not None), key=lambda spec: spec.engine_id)
    if folder is None:
        documents = (openslo.documents_of(spec, with_datasource=with_datasource) for spec in specs)
        texts = [openslo.to_text([item]) for items in documents for item in items]
        click.echo("---\n".join(dict.fromkeys([*texts, *_given(files)])), nl=False)
        return
    _write(Path(folder), specs, files, common, with_datasource=with_datasource)


def _given(files: Sequence[str]) -> Iterator[str]:
    """The text of every document that is OpenSLO already; of data sources without what may hold secrets."""
    from slo_compiler.emit import openslo
    from slo_compiler.load.yaml import load_file

    for path in files:
        loaded = load_file(path)
        for document in loaded.documents:
            is_openslo = isinstance(document.data, dict) and str(document.data.get("apiVersion")).startswith("openslo/")
            if is_openslo and document.kind == "DataSource":
                yield openslo.to_text([openslo.data_source(document.name, str(document.data["spec"]["type"]))])
            elif is_openslo:
                yield document.text(loaded.lines)


def _write(out: Path, specs: Sequence[Spec], files: Sequence[str], common: Common, *, with_datasource: bool) -> None:
    """Every spec to its own file, and what is OpenSLO already to one more; only files of ours are replaced."""
    from slo_compiler.diagnostics.codes import Code
    from slo_compiler.diagnostics.diagnostic import Span, error
    from slo_compiler.emit import openslo
    from slo_compiler.write.apply import replace_file

    texts = {
        f"{spec.service}/{spec.name}.yaml": openslo.text_of(spec, with_datasource=with_datasource) for spec in specs
    }
    given = list(dict.fromkeys(_given(files)))
    if given:
        texts["given.yaml"] = openslo.HEADER.format(path="documents that are OpenSLO already") + "---\n".join(given)
    try:
        foreign = [path for path in texts if (out / path).exists() and not _is_ours(out / path)]
        if foreign:
            hint = "move it away, or expand into another folder"
            show(
                [
                    error(Code.SLO602, Span((out / path).as_posix()), "slo-compiler did not write it", hint)
                    for path in foreign
                ],
                {},
                common,
                files=len(foreign),
            )
            sys.exit(FINDINGS)
        for path, text in texts.items():
            replace_file(out / path, text.encode())
    except OSError as fault:
        fail_environment(f"{fault.filename}: {fault.strerror}")
    common.note(f"{out.as_posix()}: {len(texts)} files written")


def _is_ours(path: Path) -> bool:
    from slo_compiler.emit import openslo

    start = openslo.HEADER.partition("{")[0].encode()
    with path.open("rb") as handle:
        return handle.read(len(start)) == start
