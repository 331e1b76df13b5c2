"""`simulate-exporter`: an engine's metrics page without the engine, for dashboards, rules and alerts to be tried on."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import FINDINGS, Common, common_options, display_path, fail_environment, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slo_compiler.documents.traffic_scenario import TrafficScenario
    from slo_compiler.engines import ResolvedEngine
    from slo_compiler.exporter.layout import Layout
    from slo_compiler.exporter.simulation import Log, Simulation
    from slo_compiler.external.page_server import Answer
    from slo_compiler.load.source_map import SourceDocument

_TICK = 0.5  # seconds between two looks at the clock, so that no scrape has a long time to catch up with


@click.command(
    "simulate-exporter",
    epilog="Example: slo-compiler simulate-exporter --engine vllm@0.11 --scenario slow-prefill --port 8000",
)
@click.option("--engine", metavar="NAME[@VERSION]", required=True, help="As `engines list` has it.")
@click.option(
    "--scenario", metavar="NAME|FILE", default="steady", show_default=True, help="One that ships, or a TrafficScenario."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free one.")
@click.option("--listen", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Where to serve.")
@click.option("--model", metavar="NAME", help="The value of the engine's model label.")
@click.option(
    "--replicas", type=click.IntRange(1, 100), default=1, show_default=True, help="Each is a target of its own."
)
@click.option(
    "--speed", type=click.FloatRange(0.01, 1000), default=1, show_default=True, help="Simulated seconds per second."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed, the same requests.")
@click.option(
    "--log", metavar="FILE", help="Write everything that happens, as lines of JSON: the truth to compare with."
)
@click.option(
    "--print", "printed", metavar="TIME", help="Print the first replica's page after TIME, and serve nothing."
)
@common_options
def command(
    common: Common,
    engine: str,
    scenario: str,
    port: int,
    listen: str,
    model: str | None,
    replicas: int,
    speed: float,
    seed: int,
    log: str | None,
    printed: str | None,
) -> None:
    """Serve the metrics page of an engine that is not there.

    Requests are simulated as the scenario says: they arrive, wait, are answered, fail, are left by their clients.
    The page has the names, labels, edges and the text of `le` that the engine document gives the release, and counts
    what that engine counts: what never reaches its counters does not reach these.

    Prints the addresses and a scrape configuration. Interrupt it to end it.
    Scenarios that ship: steady, slow-prefill, errors, outage, stall, pod-churn, rolling-upgrade.
    """
    from slo_compiler.exporter.layout import layout_of
    from slo_compiler.exporter.simulation import Simulation

    until = _seconds(printed) if printed is not None else None
    chosen = _engine(engine, common)
    found, source, lines = _scenario(scenario, common)
    labels = dict(found.spec.labels)
    if model is not None:
        if chosen.model_label is None:
            raise click.UsageError(f"--model: {chosen.title} has no label of the model")
        labels[chosen.model_label] = model
    upgrades = _upgrades(chosen, found, source, lines, labels, common)
    with ExitStack() as stack:
        simulation = Simulation(
            found.spec,
            (layout_of(chosen, labels), upgrades),
            replicas=replicas,
            seed=seed,
            log=_log(log, stack) if log is not None else None,
        )
        if until is None:
            _serve(simulation, chosen, found.metadata.name, listen, port, speed)
            return
        simulation.advance(until)
        page = simulation.page(0)
    if page is None:
        click.echo(f"error: after {printed} the replica does not answer", err=True)
        sys.exit(FINDINGS)
    click.echo(page, nl=False)


def _seconds(text: str) -> float:
    from slo_compiler.units import Duration

    try:
        return float(Duration.parse(text).seconds)
    except ValueError as fault:
        raise click.UsageError(f"--print: {fault}; write it as 90s or 10m") from None


def _engine(text: str, common: Common) -> ResolvedEngine:
    from slo_compiler.diagnostics.nearest import did_you_mean
    from slo_compiler.engine_versions import UnknownVersion, known_versions
    from slo_compiler.engines import load_builtin_engines
    from slo_compiler.exporter.layout import one_release

    name, _, version = text.partition("@")
    engines = load_builtin_engines()
    if name not in engines:
        raise click.UsageError(f"unknown engine {name}; {did_you_mean(name, engines)}")
    known = known_versions(engines[name])
    try:
        found = one_release(engines[name], version or (known[-1] if known else None))
    except UnknownVersion as fault:
        raise click.UsageError(f"{fault}; known versions: {', '.join(known)}") from None
    common.note(f"{found.title} is simulated")
    return found


def _scenario(text: str, common: Common) -> tuple[TrafficScenario, SourceDocument, Mapping[str, Sequence[str]]]:
    """The scenario of a name or in a file. Its faults are shown, and end the program with 1."""
    from slo_compiler.diagnostics.nearest import did_you_mean
    from slo_compiler.documents.read import read_model
    from slo_compiler.documents.traffic_scenario import TrafficScenario
    from slo_compiler.load.yaml import load_file
    from slo_compiler.resources import builtin_path

    shipped = {path.stem: path for path in builtin_path("scenarios").glob("*.yaml")}
    if text not in shipped and not Path(text).is_file():
        hint = did_you_mean(text, shipped, otherwise="those that ship")
        raise click.UsageError(f"--scenario: {text} is no file, and no scenario that ships; {hint}")
    loaded = load_file(display_path(str(shipped.get(text, text))))
    diagnostics, lines = list(loaded.diagnostics), {loaded.path: loaded.lines}
    if len(loaded.documents) != 1 and not diagnostics:
        raise click.UsageError(f"--scenario: {text} holds {len(loaded.documents)} documents; give it one")
    for source in loaded.documents:
        document, faults = read_model(TrafficScenario, source)
        diagnostics += faults
        if isinstance(document, TrafficScenario) and not diagnostics:
            return document, source, lines
    show(diagnostics, lines, common, files=1)
    sys.exit(FINDINGS)


def _upgrades(
    engine: ResolvedEngine,
    scenario: TrafficScenario,
    source: SourceDocument,
    lines: Mapping[str, Sequence[str]],
    labels: Mapping[str, str],
    common: Common,
) -> dict[int, Layout]:
    """The pages that phases upgrade to, by the index of the phase."""
    from slo_compiler.diagnostics.codes import Code
    from slo_compiler.diagnostics.diagnostic import error
    from slo_compiler.engine_versions import UnknownVersion, known_versions
    from slo_compiler.exporter.layout import layout_of, upgraded

    found: dict[int, Layout] = {}
    faults = []
    for index, phase in enumerate(scenario.spec.phases):
        if phase.upgrade_to is None:
            continue
        try:
            engine = upgraded(engine, phase.upgrade_to)
            found[index] = layout_of(engine, labels)
        except UnknownVersion as fault:
            span = source.value_span(("spec", "phases", index, "upgradeTo"))
            hint = f"known versions: next, newest, {', '.join(known_versions(engine.document))}"
            faults.append(error(Code.SLO401, span, f"spec.phases[{index}].upgradeTo: {fault}", hint))
    if faults:
        show(faults, lines, common, files=1)
        sys.exit(FINDINGS)
    return found


def _log(path: str, stack: ExitStack) -> Log:
    import json

    try:
        opened = Path(path).open("w", encoding="utf-8", buffering=1)  # noqa: SIM115 - the stack closes it
    except OSError as fault:
        fail_environment(f"{path}: {fault.strerror}")
        raise AssertionError from None
    file = stack.enter_context(opened)
    return lambda told: print(json.dumps(told), file=file)


def _serve(simulation: Simulation, engine: ResolvedEngine, scenario: str, listen: str, port: int, speed: float) -> None:
    from slo_compiler.external.page_server import serving

    lock, begin, ended = Lock(), time.monotonic(), Event()

    def go_on() -> None:
        simulation.advance((time.monotonic() - begin) * speed)

    paths = {f"/{replica.number}{engine.metrics_path}": replica.number for replica in simulation.replicas}

    def answer(path: str) -> Answer:
        with lock:
            go_on()
            return _answer(simulation, {engine.metrics_path: 0, **paths}, path)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with serving(listen, port, answer) as taken:
            click.echo(_targets(engine.name, scenario, f"{listen}:{taken}", list(paths)))
            while not ended.wait(_TICK):
                with lock:
                    go_on()
    except OSError as fault:
        fail_environment(f"{listen}:{port}: {fault.strerror or fault}")


def _answer(simulation: Simulation, paths: Mapping[str, int], path: str) -> Answer:
    from slo_compiler.exporter.counters import CONTENT_TYPE
    from slo_compiler.external.page_server import Answer

    plain = "text/plain; charset=utf-8"
    if path not in paths:
        return Answer(404, plain, "".join(f"{known}\n" for known in paths))
    page = simulation.page(paths[path])
    if page is None:
        return Answer(503, plain, "this replica is gone\n")
    return Answer(200, CONTENT_TYPE, page)


def _targets(engine: str, scenario: str, address: str, paths: list[str]) -> str:
    """The addresses as comments, and what Prometheus needs to scrape them."""
    lines = [f"# {scenario}: http://{address}{path}" for path in paths]
    lines += ["scrape_configs:", f"- job_name: {engine}", "  static_configs:"]
    for number, path in enumerate(paths):
        labels = f"{{__metrics_path__: '{path}', instance: replica-{number}}}"
        lines += [f"  - targets: ['{address}']", f"    labels: {labels}"]
    return "\n".join(lines)
