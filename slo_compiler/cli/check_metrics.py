"""`check-metrics`: specs against a live metrics page, a saved one, or what a Prometheus has scraped."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.connections import connection_options, is_address, read_scrape, seconds_of
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
    from collections.abc import Sequence

    from slo_compiler.external.http import Connection
    from slo_compiler.ir import Spec
    from slo_compiler.live.pages import Page


@click.command(
    "check-metrics", epilog="Example: slo-compiler check-metrics specs --scrape http://localhost:8000/metrics"
)
@click.argument("paths", nargs=-1)
@click.option("--scrape", "scrapes", metavar="URL|FILE", multiple=True, help="A metrics page; one for each replica.")
@click.option("--prometheus", metavar="URL", help="The server that has scraped the engines.")
@click.option(
    "--over",
    metavar="TIME",
    help="Say which counters move: scrapes again after so long; asks Prometheus so far back (default there: 1h).",
)
@connection_options
@click.option("--fix", is_flag=True, help="Say which lines of the specs would work.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@common_options
def command(
    common: Common,
    connection: Connection,
    paths: tuple[str, ...],
    scrapes: tuple[str, ...],
    prometheus: str | None,
    over: str | None,
    fix: bool,
    output: str,
) -> None:
    """Check that what the specs under PATHS read is really there.

    Per SLI: its metric, type, labels and bucket, how the threshold is read, whether samples flow, and whether the page
    is that of the spec's version. Exits 1 where something is broken, 3 where a page or a server cannot be read.
    """
    from slo_compiler.live.check_report import to_json, to_text
    from slo_compiler.live.compare import compare
    from slo_compiler.live.results import Live
    from slo_compiler.pipeline import check_files
    from slo_compiler.plain_text import NARROWEST
    from slo_compiler.resolve.environment import Environment

    if bool(scrapes) == bool(prometheus):
        raise click.UsageError("give --scrape (as often as there are pages) or --prometheus")
    apart = seconds_of("--over", over) if over else 0
    config = load_config(common)
    environment = Environment(config)
    checked = check_files(spec_files(paths, config), environment)
    if checked.failed:
        show(checked.diagnostics, checked.lines, common, files=checked.files)
        sys.exit(FINDINGS)
    earlier: Page | None
    if prometheus:
        page, earlier = _asked(prometheus, checked.specs, connection, apart or 3600)
    else:
        page, earlier = _scraped(scrapes, connection, apart, common)
    known = checked.environment or environment
    live = Live(page, earlier, known.engines, known.slis, frozenset(config.prometheus.target_labels))
    results = [result for spec in checked.specs for result in compare(spec, live)]
    if output == "json":
        click.echo(to_json(results))
    else:
        width = shutil.get_terminal_size((NARROWEST, 24)).columns
        text = to_text(results, width=width, colour=common.colour_results, fixes=fix)
        click.echo(text, color=common.colour_results or None)
    if any(result.ok is False for result in results):
        sys.exit(FINDINGS)


def _asked(address: str, specs: Sequence[Spec], connection: Connection, seconds: int) -> tuple[Page, Page]:
    from slo_compiler.external.http import Unreachable, get_text
    from slo_compiler.live.pages import NoPage
    from slo_compiler.live.prometheus import names_read, page_of

    names = names_read(specs)
    try:
        pages = [
            page_of(
                lambda url, query: get_text(url, connection, "application/json", query),
                address.rstrip("/"),
                names,
                seconds_ago=ago,
            )
            for ago in (0, seconds)
        ]
    except (Unreachable, NoPage) as fault:
        fail_environment(f"{address}: {fault}" if isinstance(fault, NoPage) else str(fault))
        raise AssertionError from None
    return pages[0], pages[1]


def _scraped(scrapes: Sequence[str], connection: Connection, apart: int, common: Common) -> tuple[Page, Page | None]:
    first = _pages(scrapes, connection)
    if not apart:
        return first, None
    if not all(is_address(scrape) for scrape in scrapes):
        raise click.UsageError("--over: a saved page does not change; give addresses")
    common.note(f"scraping again in {apart}s")
    time.sleep(apart)
    return _pages(scrapes, connection), first


def _pages(scrapes: Sequence[str], connection: Connection) -> Page:
    from slo_compiler.live.pages import NoPage, Page, read_page

    page = Page()
    for scrape in scrapes:
        try:
            page.add(read_page(read_scrape(scrape, connection)))
        except NoPage as fault:
            fail_environment(f"{scrape}: {fault}")
    return page
