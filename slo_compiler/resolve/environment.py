"""What a resolution draws on beside the document itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from slo_compiler.catalog import Catalog, load_builtin_catalog
from slo_compiler.documents.config import Config
from slo_compiler.documents.engine import Engine
from slo_compiler.documents.policy import BurnRatePolicy
from slo_compiler.engines import load_builtin_engines
from slo_compiler.ir import Severities, Steps
from slo_compiler.resolve.policies import load_builtin_policy
from slo_compiler.resolve.windows import steps_of
from slo_compiler.slis import Sli, load_slis


@dataclass(frozen=True)
class Environment:
    """Configuration, catalog, engines, SLIs and the default policy; facts are read when first asked for."""

    config: Config = field(default_factory=Config)

    @cached_property
    def catalog(self) -> Catalog:
        """Classes, use cases and profiles."""
        return load_builtin_catalog()

    @cached_property
    def engines(self) -> dict[str, Engine]:
        """Engine documents by name."""
        return load_builtin_engines()

    @cached_property
    def slis(self) -> dict[str, Sli]:
        """What each SLI is, by name."""
        return load_slis()

    @cached_property
    def policy(self) -> BurnRatePolicy:
        """The default burn-rate policy."""
        return load_builtin_policy("default")

    @cached_property
    def steps(self) -> Steps:
        """The tiles' lengths under this configuration."""
        return steps_of(self.policy, self.config.prometheus.scrape_interval)

    @cached_property
    def severities(self) -> Severities:
        """The configured values of the label `severity`."""
        configured = self.config.severities
        return Severities(configured.page, configured.ticket, configured.info)
