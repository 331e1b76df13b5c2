"""Where a threshold and a target come from: the objective, the use case, the class; and what `adjust` does to them."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from slo_compiler import formulas
from slo_compiler.catalog import Catalog
from slo_compiler.documents.inference_slo import InferenceSLOSpec, Objective
from slo_compiler.ir import Judged, Provenance
from slo_compiler.units import Duration, percent_text

# SLIs whose numbers the catalog holds.
CATALOG_SLIS = ("ttft", "itl", "e2e")
# The catalog's p95 values judge promises up to this target; above it, only p99 numbers would be comparable.
_JUDGED_TO = Decimal("0.95")
# SLIs that end at the user's side of the network, so that the unseen part of the way comes off their thresholds.
_BUDGETED_SLIS = ("ttft", "e2e")


class Number(NamedTuple):
    """A resolved number: the value, where it came from, and whether the spec itself writes it."""

    value: Duration
    origin: str
    own: bool = False

    def scaled(self, factor: Decimal, why: str) -> Number:
        """The number times a factor, rounded to a millisecond, with the reason added to its origin."""
        value = formulas.round_latency(self.value.seconds * factor)
        return self._replace(value=Duration(value), origin=f"{self.origin}; {why}")


class Traffic(NamedTuple):
    """The tokens of a typical request; None where nothing says."""

    prompt_tokens: int | None
    output_tokens: int | None
    profile_prompt_tokens: int | None


class Promises:
    """Looks numbers up for the objectives of one spec."""

    def __init__(self, spec: InferenceSLOSpec, catalog: Catalog) -> None:
        self._spec = spec
        self._catalog = catalog
        self.use_case = catalog.use_cases.get(spec.use_case) if spec.use_case else None
        self.use_case_class = self.use_case.experience_class.value if self.use_case else ""
        self.class_name = spec.experience_class or self.use_case_class
        self.experience_class = catalog.experience_classes.get(self.class_name)
        self.traffic = self._traffic()

    def target(self, objective: Objective) -> tuple[Decimal, str] | None:
        """The share of good events that is promised, and where it came from; None where nothing says."""
        if objective.target is not None:
            return objective.target, "the objective"
        if objective.sli not in CATALOG_SLIS:
            return None
        if self.use_case is not None:
            return self.use_case.target.value, self._use_case_origin
        if self.experience_class is not None:
            return self.experience_class.target.value, self._class_origin
        return None

    def threshold(self, objective: Objective) -> Number | None:
        """The promised threshold before the latency budget; None where nothing says."""
        if objective.threshold is not None:
            return Number(objective.threshold, "the objective", own=True)
        number = self._from_use_case(objective.sli) or self._from_class(objective.sli)
        return self._adjusted(objective.sli, number) if number is not None else None

    def less_budget(self, sli: str, number: Number, seen: frozenset[str]) -> Number:
        """The threshold less those parts of the way that the engine cannot see.

        Args:
            seen: names of parts that the engine's own measurement includes.
        """
        unseen = {name: part for name, part in self._spec.latency_budget.items() if name not in seen}
        if sli not in _BUDGETED_SLIS or not unseen:
            return number
        spent = sum((part.seconds for part in unseen.values()), Decimal(0))
        value = Duration(number.value.seconds - spent)
        origin = f"{number.origin}; {number.value} - {Duration(spent)} latency budget ({', '.join(unseen)})"
        return number._replace(value=value, origin=origin)

    def judged(self, objective: Objective, number: Number, target: Decimal) -> Judged:
        """What the catalog has to say about the number."""
        ceiling = None
        if target <= _JUDGED_TO and self.experience_class is not None and objective.sli in ("ttft", "itl"):
            ceiling = getattr(self.experience_class.ceilings, objective.sli).value
        use_case = self._from_use_case(objective.sli)
        same = self.use_case is not None and self.use_case.target.value == target
        return Judged(number.value, number.own, ceiling, use_case.value if use_case and same else None)

    @property
    def _use_case_origin(self) -> str:
        name = self._spec.use_case or ""
        return f"use case {name}, {self._catalog.origin('use case', name)}"

    @property
    def _class_origin(self) -> str:
        return f"class {self.class_name}, {self._catalog.origin('experience class', self.class_name)}"

    def _traffic(self) -> Traffic:
        given = self._spec.traffic
        profile = None
        if self.use_case is not None:
            profile = self._catalog.traffic_profiles[self.use_case.traffic_profile.value]
        return Traffic(
            given.prompt_tokens or (profile.prompt_tokens.value if profile else None),
            given.output_tokens or (profile.output_tokens.value if profile else None),
            profile.prompt_tokens.value if profile else None,
        )

    def _from_use_case(self, sli: str) -> Number | None:
        if self.use_case is None or sli not in CATALOG_SLIS:
            return None
        origin = self._use_case_origin
        long = self.use_case.itl_long_outputs
        tokens = self.traffic.output_tokens
        if sli == "itl" and long is not None and tokens is not None and tokens >= long.from_output_tokens:
            return Number(long.value, f"{origin}, for answers of {long.from_output_tokens} tokens and more")
        value = getattr(self.use_case, sli)
        return Number(value.value, origin) if value is not None else None

    def _from_class(self, sli: str) -> Number | None:
        if self.experience_class is None or self.use_case is not None or sli not in CATALOG_SLIS:
            return None
        base = self.experience_class.base
        origin = self._class_origin
        ttft = Number(base.ttft.value, origin)
        if self.traffic.prompt_tokens is not None:
            ttft = self._scaled_by_prompt(ttft, self._catalog.adjustments.prompt_length.base_prompt_tokens.value)
        ceiling = self.experience_class.ceilings.ttft.value
        if ttft.value > ceiling:  # the compiler's own number must not break the class's promise
            ttft = Number(ceiling, f"{ttft.origin}; no more than the class's ceiling")
        if sli == "ttft":
            return ttft
        if sli == "itl":
            return Number(base.itl.value, origin)
        if self.traffic.output_tokens is None:
            return None
        tokens = self.traffic.output_tokens
        overhead = formulas.e2e_overhead(tokens, self._catalog.adjustments.e2e.overhead_steps)
        seconds = formulas.e2e(ttft.value.seconds, base.itl.value.seconds, tokens, overhead=overhead)
        return Number(
            Duration(formulas.round_latency(seconds)),
            f"{origin}: ({ttft.value} + {tokens} tokens x {base.itl.value}) x {overhead}",
        )

    def _adjusted(self, sli: str, number: Number) -> Number:
        """The formulas that `adjust` names, in their fixed order."""
        adjustments, hardware = self._catalog.adjustments, self._spec.hardware
        asked = self._spec.adjust
        if (
            "promptLength" in asked
            and sli == "ttft"
            and self.use_case is not None
            and self.traffic.profile_prompt_tokens
        ):
            number = self._scaled_by_prompt(number, self.traffic.profile_prompt_tokens)
        if "hardware" in asked and hardware.tier is not None:
            tiers = {name: tier.factor.value for name, tier in adjustments.hardware.tiers.items()}
            factor = formulas.hardware_factor(hardware.tier, tiers)
            number = number.scaled(factor, f"x {factor} for {hardware.tier} hardware")
        if "gpuCount" in asked and sli == "itl" and hardware.gpu_count is not None:
            exponent = adjustments.gpu_count.exponent.value
            factor = formulas.scale_itl_for_gpus(Decimal(1), hardware.gpu_count, exponent=exponent)
            number = number.scaled(factor, f"x (1/{hardware.gpu_count})^{exponent} for {hardware.gpu_count} GPUs")
        if "modelSize" in asked and hardware.model_parameters_b is not None:
            size = Decimal(str(hardware.model_parameters_b))
            factor = formulas.model_size_factor(size, adjustments.model_size.steps)
            number = number.scaled(factor, f"x {factor} for {size} billion parameters")
        if "load" in asked and self._spec.load is not None:
            load = Decimal(str(self._spec.load))
            factor = formulas.load_factor(load, adjustments.load.steps)
            number = number.scaled(factor, f"x {factor} at {percent_text(load)} load")
        return number

    def _scaled_by_prompt(self, number: Number, base_tokens: int) -> Number:
        tokens = self.traffic.prompt_tokens
        if tokens is None or tokens == base_tokens:
            return number
        alpha = self._catalog.adjustments.prompt_length.alpha.value
        factor = formulas.scale_ttft(Decimal(1), tokens, base_prompt_tokens=base_tokens, alpha=alpha)
        return number.scaled(factor, f"x ({tokens}/{base_tokens})^{alpha} for the prompt's length")


def provenance(field: str, number: Number) -> Provenance:
    """A number as outputs show it."""
    return Provenance(field, str(number.value), number.origin)
