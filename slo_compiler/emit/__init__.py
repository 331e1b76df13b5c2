"""Resolved specs to texts; an emitter only writes down what is already decided."""

from __future__ import annotations

from slo_compiler.emit import (
    alertmanager,
    autoscaling,
    catalogue,
    dashboards,
    kustomization,
    monitors,
    openslo,
    promtool_tests,
    rules,
    runbooks,
)
from slo_compiler.emit.base import Emitter, Fold

# Every kind of output, by its name on the command line, in the order in which they are written.
EMITTERS: dict[str, Emitter] = {
    rules.NAME: rules,
    promtool_tests.NAME: promtool_tests,
    openslo.NAME: openslo,
    dashboards.NAME: dashboards,
    catalogue.NAME: catalogue,
    runbooks.NAME: runbooks,
    alertmanager.NAME: alertmanager,
    autoscaling.NAME: autoscaling,
    monitors.NAME: monitors,
    kustomization.NAME: kustomization,
}

# The kinds that also write files about all specs; each sees what those before it made.
FOLDS: dict[str, Fold] = {
    dashboards.NAME: dashboards,
    catalogue.NAME: catalogue,
    alertmanager.NAME: alertmanager,
    monitors.NAME: monitors,
    kustomization.NAME: kustomization,
}
