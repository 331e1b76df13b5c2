"""How histograms arrive at the server, as specs and the configuration say it."""

from typing import Annotated, Literal

from pydantic import Field

HistogramForm = Literal["classic", "custom-buckets", "exponential"]
"""A counter for each bucket; native histograms that the server made of those; native ones whose buckets grow by powers of
two."""
Schema = Annotated[int, Field(ge=-4, le=8)]
"""Of exponential buckets: an edge is 2^(2^-schema) times the one below it."""

NATIVE_SINCE = 3
"""The release of Prometheus that reads both kinds of native histograms in rules: 3.0."""


def reads_native(version: str | None) -> bool:
    """Whether a server of this version reads native histograms; not where it is not known."""
    return version is not None and int(version.removeprefix("v").split(".")[0]) >= NATIVE_SINCE


def asks_for_native(version: str | None) -> bool:
    """Whether a server of this version has a setting of each target for the native histograms of engines.

    Before that it is a flag of the whole server, `--enable-feature=native-histograms`, which 3.8 made a setting.
    """
    if version is None:
        return False
    major, minor = (int(part) for part in version.removeprefix("v").split(".")[:2])
    return (major, minor) >= (3, 8)


def which_server(version: str | None) -> str:
    """What is known of the server, in words."""
    return "prometheus.version is not set" if version is None else f"prometheus.version is {version}"
