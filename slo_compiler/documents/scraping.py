"""The `scraping` block of a spec: where the metrics page of its engine is found. It changes no rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from slo_compiler.documents.judged import Fault, Judged

_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = rf"([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}"
_LAST_PORT = 65535
_LABEL = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
Selection = Annotated[str, Field(pattern=rf"^{_KEY}=({_NAME})?(,{_KEY}=({_NAME})?)*$")]
Address = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:\[\]_-]{1,253}:[0-9]{1,5}$")]
# A number, or the name that Kubernetes gives a port.
Port = Annotated[str, Field(pattern=r"^([1-9][0-9]{0,4}|[a-z]([-a-z0-9]{0,61}[a-z0-9])?)$")]
MetricsPath = Annotated[str, Field(pattern=r"^/[!-~]*$")]


class Scraping(Judged):
    """The replicas of the engine, as who scrapes them finds them.

    Attributes:
        select: labels of the Service or the pods, as `kubectl -l` takes them: `app=chat,tier=gpu`.
        targets: addresses, where there is no Kubernetes: `gpu-7.example:8000`.
        port: its number in the container or, by the name that the Service or the pod gives it; unset, the engine's own.
        path: of the page; unset, the engine's own.
        labels: that every series gets, where the selector does not say them by equality.
    """

    select: Selection | None = None
    targets: Annotated[list[Address], Field(min_length=1)] | None = None
    port: Port | None = None
    path: MetricsPath | None = None
    labels: dict[Annotated[str, Field(pattern=_LABEL)], str] = Field(default_factory=dict)

    def faults(self) -> Iterator[Fault]:
        """Replicas that are named in two ways, or in none."""
        if (self.select is None) == (self.targets is None):
            message = "replicas are named by select or by targets, and one of them is needed"
            at = "targets" if self.targets is not None else ""
            yield Fault((at,) if at else (), message, "select: app=chat")
        if self.targets is not None and self.port is not None:
            yield Fault(("port",), "targets say their ports themselves", "remove port")
        elif self.port is not None and self.port.isdecimal() and int(self.port) > _LAST_PORT:
            yield Fault(("port",), f"{self.port} is no port: the last one is {_LAST_PORT}", "port: 8000")
