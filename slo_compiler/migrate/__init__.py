"""Old documents to new ones: which kinds are old, and what migrates each; bytes in, bytes and notices out."""

from __future__ import annotations

from collections.abc import Callable

from slo_compiler.migrate import sloth_slos, sloth_windows, v1alpha_objects, v1alpha_slo
from slo_compiler.migrate.fields import Fields
from slo_compiler.migrate.parts import Job
from slo_compiler.migrate.tree import Mapping

Migration = Callable[[Fields, Job], list[Mapping]]

# By `apiVersion` (Sloth's own files call it `version`) and `kind` (which those lack).
MIGRATIONS: dict[tuple[str, str], Migration] = {
    ("openslo/v1alpha", "SLO"): v1alpha_slo.migrate_slo,
    ("openslo/v1alpha", "Service"): v1alpha_objects.migrate_service,
    ("openslo/v1alpha", "AlertPolicy"): v1alpha_objects.migrate_alert_policy,
    ("openslo/v1alpha", "AlertCondition"): v1alpha_objects.migrate_alert_condition,
    ("openslo/v1alpha", "AlertNotificationTarget"): v1alpha_objects.migrate_notification_target,
    ("prometheus/v1", ""): sloth_slos.migrate_prometheus,
    ("sloth.slok.dev/v1", "PrometheusServiceLevel"): sloth_slos.migrate_service_level,
    ("sloth.slok.dev/v1", "AlertWindows"): sloth_windows.migrate_windows,
}
