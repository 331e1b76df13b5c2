"""What a resolution draws on beside the document itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from slo_compiler.catalog import Catalog
from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.documents.config import Config
from slo_compiler.documents.engine import Engine
from slo_compiler.documents.policy import BurnRatePolicy
from slo_compiler.engine_versions import resolve_engine
from slo_compiler.engines import ResolvedEngine, load_builtin_engines
from slo_compiler.ir import Severities, Steps
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.definitions import Definitions
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.policies import DEFAULT_POLICY, builtin_policy_names, load_builtin_policy
from slo_compiler.resolve.windows import steps_of
from slo_compiler.shipped_catalog import load_builtin_catalog
from slo_compiler.slis import Sli, load_slis

# Kinds of OpenSLO that others name.
OPENSLO_KINDS = ("SLI", "AlertPolicy", "AlertCondition", "AlertNotificationTarget", "DataSource", "Service")


@dataclass(frozen=True, eq=False)
class Environment:
    """Configuration, catalog, engines, SLIs and policies; facts are read when first asked for.

    Attributes:
        definitions: what the documents of the run define by name.
        pinned: by engine, the version that is read whatever a spec names.
    """

    config: Config = field(default_factory=Config)
    definitions: Definitions = field(default_factory=Definitions)
    pinned: Mapping[str, str] = field(default_factory=dict)

    def with_definitions(self, definitions: Definitions) -> tuple[Environment, list[Diagnostic]]:
        """The environment with what the documents of a run define, and what is wrong with that."""
        environment = replace(self, definitions=definitions)
        found = environment._overrides[3]
        if any(definitions.names(kind) for kind in OPENSLO_KINDS):
            from slo_compiler.resolve.references import check_definitions

            found = [*found, *check_definitions(definitions)]
        return environment, found

    @cached_property
    def _overrides(
        self,
    ) -> tuple[Catalog | None, Mapping[str, Engine] | None, dict[str, BurnRatePolicy], list[Diagnostic]]:
        """Catalog and engines where the run has some of its own, its policies, and what is wrong with all of them."""
        kinds = ("ExperienceCatalog", "Engine", "BurnRatePolicy")
        if not any(self.definitions.names(kind) for kind in kinds):
            return None, None, {}, []
        from slo_compiler.resolve import overrides

        catalog, of_catalogs = overrides.catalog_of(load_builtin_catalog(), self.definitions)
        engines, of_engines = overrides.engines_of(load_builtin_engines(), self.definitions)
        policies, of_policies = overrides.policies_of(self.definitions, self.config.prometheus.scrape_interval)
        return catalog, engines, policies, [*of_catalogs, *of_engines, *of_policies]

    @cached_property
    def catalog(self) -> Catalog:
        """Classes, use cases and profiles."""
        return self._overrides[0] or load_builtin_catalog()

    @cached_property
    def engines(self) -> Mapping[str, Engine]:
        """Engine documents by name."""
        return self._overrides[1] or load_builtin_engines()

    @cached_property
    def _resolved(self) -> dict[tuple[str, str | None, str], ResolvedEngine]:
        return {}

    def engine_in(self, name: str, version: str | None, generation: str = "v1") -> ResolvedEngine:
        """A known engine in a version; the same one each time.

        Raises:
            KeyError: there is no engine of that name.
            UnknownVersion: its document does not know the version, or no such generation in it.
        """
        version = self.pinned.get(name, version)
        key = (name, version, generation)
        if key not in self._resolved:
            self._resolved[key] = resolve_engine(self.engines[name], version, generation=generation)
        return self._resolved[key]

    @cached_property
    def slis(self) -> dict[str, Sli]:
        """What each SLI is, by name."""
        return load_slis()

    def policy(self, name: str | None = None) -> BurnRatePolicy | None:
        """The burn-rate policy of that name; without one, the default. None where there is none."""
        wanted = name or self.config.defaults.policy
        own = self._overrides[2].get(wanted)
        if own is not None:
            return own
        return load_builtin_policy(wanted) if wanted in builtin_policy_names() else None

    def find_policy(self, name: str | list[str] | None, path: Path, findings: Findings) -> BurnRatePolicy:
        """The policy that a spec names, or the default; an unknown name is a finding and gives the default too.

        Args:
            name: of a burn-rate policy, or the names of alert policies of OpenSLO, each of which is a tier; None names
                none.
            path: where the name stands.
        """
        default = self.policy()
        if default is None:  # of the configuration, which has no place in this document
            default = load_builtin_policy(DEFAULT_POLICY)
            if name is None:
                message = f"the configuration's default policy {self.config.defaults.policy} is not known"
                findings.error(Code.SLO204, path, message, did_you_mean(self.config.defaults.policy, self.policy_names))
        if name is None:
            return default
        if isinstance(name, list):
            from slo_compiler.resolve.alert_policies import PolicyReader

            reader = PolicyReader(default, self.steps(default), self.severities, self.definitions, findings)
            return reader.named(name, path).policy
        found = self.policy(name)
        if found is None and not self.definitions.is_broken("BurnRatePolicy", name):
            hint = did_you_mean(name, self.policy_names)
            findings.error(Code.SLO204, path, f"unknown burn-rate policy {name}", hint)
        return found or default

    @property
    def policy_names(self) -> list[str]:
        """Every burn-rate policy that a spec may name, sorted."""
        return sorted({*self._overrides[2], *builtin_policy_names()})

    def steps(self, policy: BurnRatePolicy) -> Steps:
        """The tiles' lengths of a policy under this configuration."""
        return steps_of(policy, self.config.prometheus.scrape_interval)

    @cached_property
    def severities(self) -> Severities:
        """The configured values of the label `severity`."""
        configured = self.config.severities
        return Severities(configured.page, configured.ticket, configured.info)
