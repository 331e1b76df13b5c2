"""What Grafana's foundation SDK makes of a dashboard: typed objects, and JSON again."""

from __future__ import annotations

import copy
import json
import warnings
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins

with warnings.catch_warnings():
    # It would rather have the next form of dashboards, which no Grafana before 13 takes.
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.models.dashboard import Dashboard


def round_trip(dashboard: dict[str, Any]) -> dict[str, Any]:
    """The dashboard as the SDK reads and writes it."""
    register_default_plugins()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        read = Dashboard.from_json(copy.deepcopy(dashboard))
    found: dict[str, Any] = json.loads(JSONEncoder().encode(read))
    return found
