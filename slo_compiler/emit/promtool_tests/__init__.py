"""The promtool unit tests that prove a rule file, made from the same resolved form.

Two files, since promtool ignores a group's own interval. The fast one goes from raw series to tiles, and from burn rates
and raw series to alerts, in steps of the fast group; the slow one from recorded tiles to windows and the period, once a
day. A spec with a schedule has another, which looks at the begins and ends of its windows; one with budget adjustments
has several, each for a moment at which they act otherwise.
What must come out is computed by a second statement of the meaning (`model`, `burn`, `alert_states`), never from the
rules' own text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slo_compiler.emit.base import Artifact, Context, Document
from slo_compiler.emit.promtool_tests.adjustments import adjusted_period, looks
from slo_compiler.emit.promtool_tests.burn import LOOK_SECONDS, slow_windows
from slo_compiler.emit.promtool_tests.contradictions import contradictions
from slo_compiler.emit.promtool_tests.cut import cut_groups
from slo_compiler.emit.promtool_tests.degradation import degradation_levels
from slo_compiler.emit.promtool_tests.delays import delayed
from slo_compiler.emit.promtool_tests.engine import engine_tests
from slo_compiler.emit.promtool_tests.exemptions import has_schedules, masks, quiet_from, schedules
from slo_compiler.emit.promtool_tests.fast_windows import fast_windows
from slo_compiler.emit.promtool_tests.guards import guards
from slo_compiler.emit.promtool_tests.idle import idle_fleets
from slo_compiler.emit.promtool_tests.native import as_native, natives_of
from slo_compiler.emit.promtool_tests.raw import raw_series
from slo_compiler.emit.promtool_tests.replica_tickets import worst_replica_alerts
from slo_compiler.emit.promtool_tests.replicas import worst_replicas
from slo_compiler.emit.promtool_tests.slices import throughputs, verdicts
from slo_compiler.emit.promtool_tests.tiers import burn_rate_alerts
from slo_compiler.emit.rules import HEADER, groups, one_line, rules_path
from slo_compiler.emit.serialize import to_yaml
from slo_compiler.ir import Level, Spec
from slo_compiler.units import Duration

NAME = "tests"


def paths(spec: Spec) -> list[str]:
    """All files that `emit` gives for a spec."""
    kinds = ["fast", "slow", *(["schedule"] if has_schedules(spec) else [])]
    kinds += [f"adjusted-{number}" for number in range(1, len(looks(spec)) + 1)]
    return [f"tests/{spec.service}/{spec.name}.{kind}.test.yaml" for kind in kinds]


def emit(spec: Spec, context: Context) -> Iterable[Artifact]:
    """The test files of a spec; the same whatever the flavour of the rules."""
    del context
    step = spec.steps.fast
    fast = [
        *raw_series(spec),
        *idle_fleets(spec),
        masks(spec),
        verdicts(spec),
        *throughputs(spec),
        burn_rate_alerts(spec),
        *contradictions(spec),
        *cut_groups(spec),
        *worst_replicas(spec),
        *worst_replica_alerts(spec),
        *degradation_levels(spec),
        *engine_tests(spec),
    ]
    slow = [fast_windows(spec), slow_windows(spec), *(guards(spec, level) for level in Level)]
    begin = quiet_from(spec)
    if begin:
        fast = [delayed(group, begin, step) for group in fast if group is not None]
    natives = natives_of(spec)
    if natives:
        fast = [as_native(group, natives) for group in fast if group is not None]
    path = iter(paths(spec))
    yield _file(spec, next(path), Duration.of(step).promql, fast)
    yield _file(spec, next(path), Duration.of(LOOK_SECONDS).promql, slow)
    if has_schedules(spec):
        interval, groups = schedules(spec)
        yield _file(spec, next(path), Duration.of(interval).promql, groups)
    for look in looks(spec):
        yield _file(spec, next(path), Duration.of(look).promql, adjusted_period(spec, look))


def _order(spec: Spec) -> Document:
    """The groups in the file's order, where it matters: promtool's own is another at each run."""
    if not any(slo.groups.most or slo.exemptions for slo in spec.slos):
        return {}
    return {"group_eval_order": [group["name"] for group in groups(spec)]}


def _file(spec: Spec, path: str, interval: str, groups: Sequence[Document | None]) -> Artifact:
    document = {
        "rule_files": [f"../../{rules_path(spec)}"],
        "evaluation_interval": interval,
        **_order(spec),
        "tests": [group for group in groups if group is not None],
    }
    return Artifact(path, HEADER.format(path=one_line(spec.path)) + to_yaml(document))
