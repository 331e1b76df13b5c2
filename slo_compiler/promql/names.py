"""Every metric, label and alert name that the rules write, spelt once."""

EVENTS = {"fast": "slo:events:fast", "slow": "slo:events:slow"}
BAD_EVENTS = {"fast": "slo:bad_events:fast", "slow": "slo:bad_events:slow"}
# What a slice is judged by: the events within it and the share of bad ones, or a value.
SLICE_EVENTS = "slo:slice_events:fast"
SLICE_ERROR = "slo:slice_error:fast"
SLICE_VALUE = "slo:slice_value:fast"
# Whether an exemption's condition holds, whether it masks, the seconds it used, and tiles before the mask.
EXEMPT_WHEN = "slo:exempt_when:fast"
EXEMPT = "slo:exempt:fast"
EXEMPT_SECONDS = "slo:exempt_seconds:slow"
PERIOD_EXEMPT_SECONDS = "slo:exempt_seconds:sum"
SEEN_EVENTS = "slo:seen_events:fast"
SEEN_BAD_EVENTS = "slo:seen_bad_events:fast"
OTHER_BOUND_FAST = {"possible": "slo:possible_bad_events:fast", "certain": "slo:certain_bad_events:fast"}
OTHER_BOUND = {"possible": "slo:possible_bad_events:slow", "certain": "slo:certain_bad_events:slow"}
COVERED = "slo:covered:ratio"
# Its label `replica` names the worst one.
WORST_REPLICA = "slo:worst_replica_error:ratio"
REPLICA_LABEL = "replica"
DEGRADATION = "slo:degradation:level"
RECORDED_GROUP = "slo:group:recorded"
TARGET = "slo:target:ratio"
INFO = "slo:info"
# A period as it was seen and, where adjustments leave some of it out, how often it was evaluated.
PERIOD_SEEN_EVENTS = "slo:period_seen_events:sum"
PERIOD_SEEN_BAD_EVENTS = "slo:period_seen_bad_events:sum"
PERIOD_SEEN_EVALUATIONS = "slo:period_seen_evaluations:sum"
PERIOD_EVALUATIONS = "slo:period_evaluations:sum"
PERIOD_EVENTS = "slo:period_events:sum"
PERIOD_BAD_EVENTS = "slo:period_bad_events:sum"
PERIOD_COVERAGE = "slo:period_coverage:ratio"
PERIOD_ATTAINMENT = "slo:period_attainment:ratio"
PERIOD_BUDGET_REMAINING = "slo:period_budget_remaining:ratio"

ALERT_PAGE = "SLOBurnRatePage"
ALERT_TICKET = "SLOBurnRateTicket"
ALERT_BUDGET_EXHAUSTED = "SLOBudgetExhausted"
ALERT_SOURCE_ABSENT = "SLOSourceAbsent"
ALERT_ENGINE_STALLED = "SLOEngineStalled"
ALERT_IMPOSSIBLE_DATA = "SLOImpossibleData"
ALERT_COVERAGE_LOW = "SLOCoverageLow"
ALERT_QUEUE_DEPTH = "SLOQueueDepth"
ALERT_DEADLINE_AT_RISK = "SLODeadlineAtRisk"
ALERT_WORST_REPLICA = "SLOWorstReplica"

# On alerts of OpenSLO's alert policies: the names of their notification targets, which Alertmanager may route by.
NOTIFICATION_TARGET = "notification_target"

# Labels of alerts that others use too; the configuration may put a prefix before those of the compiler.
PREFIXED_LABELS = frozenset(
    ("service", "slo", "sli", "model", "endpoint", "tier", "long_window", "short_window", "source")
)
# Labels that the compiler writes itself: a spec may not set them.
RESERVED_LABELS = PREFIXED_LABELS | {"alertname", "severity", "slo_id", NOTIFICATION_TARGET, "le"}


def reserved_labels(prefix: str) -> frozenset[str]:
    """The labels that the compiler writes on alerts where its own have a prefix."""
    if not prefix:
        return RESERVED_LABELS
    return (RESERVED_LABELS - PREFIXED_LABELS) | {f"{prefix}{name}" for name in PREFIXED_LABELS}


def burn_rate(window: str) -> str:
    """The series of the burn rate over a window: `slo:burn_rate:1h`."""
    return f"slo:burn_rate:{window}"
