"""Types of breach by engine: which SLI or metric shows each, and in words what it misses or why nothing shows it."""

from __future__ import annotations

from typing import NamedTuple

from slo_compiler.documents.sight import BreachType
from slo_compiler.engines import ResolvedEngine
from slo_compiler.slis import Sli, load_slis

# As `slis.yaml` and the label `breach` of recorded series name them.
BREACH_LABELS = {
    BreachType.TTFT: "ttft_breach",
    BreachType.ITL: "itl_jitter_breach",
    BreachType.INCOMPLETE: "incomplete_response",
    BreachType.TIMEOUT: "hard_timeout",
    BreachType.ERROR: "error",
}


class BreachAnswer(NamedTuple):
    """What an engine in a version shows of a type of breach.

    Attributes:
        slis: SLI to the metrics that it is read from, those that the engine answers for.
        metrics: others that show it.
        says: what these show and miss, or why nothing shows it; empty where the document does not say.
    """

    slis: dict[str, tuple[str, ...]]
    metrics: tuple[str, ...]
    says: tuple[str, ...]

    @property
    def is_shown(self) -> bool:
        """Whether anything on the engine's page shows it."""
        return bool(self.slis or self.metrics)

    @property
    def shown(self) -> tuple[str, ...]:
        """What shows it, in Markdown: SLIs with their metrics, then other metrics."""
        slis = (f"{sli}: {', '.join(f'`{name}`' for name in names)}" for sli, names in self.slis.items())
        return (
            *slis,
            *(f"`{name}`" for name in self.metrics if not any(name in names for names in self.slis.values())),
        )


def breach_answers(engine: ResolvedEngine) -> dict[BreachType, BreachAnswer]:
    """What the engine shows of every type of breach, in the order of the types."""
    return {breach: _answer(engine, breach) for breach in BreachType}


def _answer(engine: ResolvedEngine, breach: BreachType) -> BreachAnswer:
    slis = [sli for sli in load_slis().values() if sli.breach == BREACH_LABELS[breach] and sli.kind != "slices"]
    answered = {sli.name: names for sli in slis if (names := read_for(engine, sli))}
    whole = next(iter(slis), None)  # the first one is the breach itself, others are a part or a mean of it
    if whole is not None and whole.name in answered:
        answered = {whole.name: answered[whole.name]}
    view = engine.document.spec.breaches.get(breach)
    on_page = () if view is None else tuple(name for name in view.metrics if engine.metric_named(name) is not None)
    why = engine.lacks(whole.name) if whole is not None and whole.name not in answered else ""
    return BreachAnswer(answered, on_page, tuple(filter(None, (why, view.says if view is not None else ""))))


def read_for(engine: ResolvedEngine, sli: Sli) -> tuple[str, ...]:
    """The metrics that an SLI is read from in this version of the engine, newest first; none where it cannot be."""
    if sli.name == "availability":
        view = engine.availability
        return (view.part or view.total,) if view is not None else ()
    if sli.name == "completion":
        return (engine.completion.ended,) if engine.completion is not None else ()
    # A histogram under one of the names will do; slices need all of theirs.
    enough = any if sli.kind == "histogram" else all
    if not sli.roles or not enough(engine.has(role) for role in sli.roles):
        return ()
    roles = [role for role in sli.roles if engine.has(role)]
    found = (name for role in roles for name in engine.names_in_version(role) if name in engine.names(role))
    return tuple(dict.fromkeys(found))
