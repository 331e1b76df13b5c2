"""Which release a version means: what people write goes in, the engine as that release exposes it comes out."""

from __future__ import annotations

from slo_compiler.documents.engine import Engine
from slo_compiler.documents.releases import Version, VersionRange, version_text
from slo_compiler.engines import ResolvedEngine, display_name

_FIRST: Version = ()


class UnknownVersion(Exception):
    """The engine document does not know the version, or no such generation in it; the message says what it knows."""


def resolve_engine(engine: Engine, version: str | None, *, generation: str = "v1") -> ResolvedEngine:
    """The engine in a version.

    `0.11` means any 0.11.z, `0.11.0` that release, `b10434` a build. A minor release or build between two known ones,
    or above the newest, is read as the nearest lower one, with a notice; so is no version at all, as the newest.

    Args:
        version: as people write it, or nothing; a leading `v` and suffixes such as `.post1`, `rc1` and `+cpu` are passed over.
        generation: of the engine, where two of them ship in one release.

    Raises:
        UnknownVersion: the version is below the oldest known or is none, or has no such generation.
    """
    display = display_name(engine)
    if engine.spec.versions is None:
        notice = f"{display} is the same in every version; {version} changes nothing" if version else None
        return ResolvedEngine(engine, "", VersionRange(), generation, notice)
    known = engine.spec.versions.known
    if version is None:
        notice = f"no version of {display} is given; its newest known release {known[-1]} is read"
        return _resolve(engine, known[-1], generation, notice)
    releases = VersionRange.of_release(version)
    minors = [_minor(text) for text in known]
    if releases is None or releases.low is None or len(releases.low[:2]) != len(minors[0]):
        raise UnknownVersion(f"{version!r} is no version of {display}; write one such as {known[-1]}")
    asked = releases.low[:2]
    if asked < minors[0]:
        raise UnknownVersion(f"{display} {version} is older than {known[0]}, the oldest release that is known")
    oldest = VersionRange.of_release(engine.spec.versions.oldest)
    if oldest is not None and not VersionRange(oldest.low).overlaps(releases):
        first = engine.spec.versions.oldest
        raise UnknownVersion(f"{display} {version} is older than {first}, the oldest release that is known")
    nearest = max(minor for minor in minors if minor <= asked)
    if nearest == asked:
        exact = known[minors.index(asked)] if _is_minor(releases) else version_text(releases.low)
        return _resolve(engine, exact, generation, None)
    lower = known[minors.index(nearest)]
    notice = f"{display} {version} is not known; the nearest lower release {lower} is read"
    return _resolve(engine, lower, generation, notice)


def _resolve(engine: Engine, version: str, generation: str, notice: str | None) -> ResolvedEngine:
    releases = VersionRange.of_release(version)
    first = VersionRange.of_release(engine.spec.versions.oldest) if engine.spec.versions is not None else None
    if releases is None or first is None:
        raise AssertionError(version)  # documents hold versions only
    if (releases.low or _FIRST) < (first.low or _FIRST):  # the minor release began before the document does
        releases = VersionRange(first.low, releases.high)
    generations = engine.spec.generations
    if generations:
        having = generations.get(generation)
        if having is None or not having.overlaps(releases):
            others = ", ".join(f"{name} is in {range_}" for name, range_ in generations.items())
            raise UnknownVersion(f"{display_name(engine)} {version} has no generation {generation}; {others}")
    return ResolvedEngine(engine, version, releases, generation, notice)


def known_versions(engine: Engine) -> tuple[str, ...]:
    """The minor releases and builds that an engine's document knows, ascending; none where it tells none apart."""
    return engine.spec.versions.known if engine.spec.versions is not None else ()


def _minor(text: str) -> Version:
    return tuple(int(number) for number in text.removeprefix("b").split("."))


def _is_minor(releases: VersionRange) -> bool:
    return releases.low is not None and releases.high is not None and releases.low[:2] != releases.high[:2]
