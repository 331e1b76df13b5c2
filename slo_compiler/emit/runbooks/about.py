"""Which spec a runbook is about, said in a comment of its own, so that its words find the spec's next name."""

from __future__ import annotations

import json
from typing import NamedTuple

from slo_compiler.ir import Spec

_LEAD, _TAIL = "<!-- slo-compiler:about ", " -->"


class About(NamedTuple):
    """What a spec keeps where its name changes.

    Attributes:
        slos: identities of its SLOs, which stay where `slo-compiler/id` pins them.
    """

    path: str
    service: str
    model: str
    endpoint: str
    slos: tuple[str, ...]

    def is_successor_of(self, earlier: About) -> bool:
        """Whether it is the same promise under another name: an SLO of the same identity, or the same thing served."""
        if set(self.slos) & set(earlier.slos):
            return True
        served = (self.service, self.model, self.endpoint) == (earlier.service, earlier.model, earlier.endpoint)
        return served and (bool(self.model) or self.path == earlier.path)


def about(spec: Spec) -> About:
    """What a runbook says of its spec."""
    return About(spec.path, spec.service, spec.model, spec.endpoint, tuple(slo.slo_id for slo in spec.slos))


def comment(item: About) -> str:
    """The comment; nothing in it can end it early."""
    text = json.dumps(item._asdict(), separators=(",", ":"))
    return f"{_LEAD}{text.replace('<', chr(92) + 'u003c').replace('>', chr(92) + 'u003e')}{_TAIL}"


def read_comment(text: str) -> About | None:
    """What a runbook says that it is about; None where it says nothing that can be read."""
    for line in text.split("\n")[:10]:
        stripped = line.strip()
        if stripped.startswith(_LEAD) and stripped.endswith(_TAIL):
            try:
                found = json.loads(stripped[len(_LEAD) : -len(_TAIL)])
                path, service, model, endpoint = (str(found[name]) for name in About._fields[:-1])
                return About(path, service, model, endpoint, tuple(str(item) for item in found["slos"]))
            except (ValueError, KeyError, TypeError):
                return None
    return None
