"""Cases by their number and a seed: files and a configuration, valid, nearly valid or hostile.

A hostile case that is well-formed has a twin, the same documents with harmless text: what the compiler writes for both
must have one structure.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

import yaml

from slo_compiler.schemas import schema_of
from tests.fuzz import hostile
from tests.fuzz.mutate import mutated, mutated_text
from tests.fuzz.samples import Free, Sampler
from tests.fuzz.sense import DOCUMENTS, POOLS, SENSE, TIMES, Pattern, Query

VALID, NEARLY, HOSTILE = "valid", "nearly valid", "hostile"
# How often each kind is what a case is about; others come beside it where it names them.
_WEIGHTS = {"InferenceSLO": 20, "SLO": 8}


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run is given. Files by path; the configuration, where there is one, is a file of its own."""

    files: dict[str, bytes]
    config: bytes | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        twin: the same with harmless text.
        documents: the data of each document with its kind, as YAML would read it.
    """

    number: int
    sort: str
    inputs: Inputs
    twin: Inputs | None = None
    documents: list[tuple[str, Any]] = field(default_factory=list)


def case(seed: str, number: int) -> Case:
    """The case of that number; the same seed and number give the same bytes."""
    random = Random(f"{seed}/{number}")
    sort = random.choice((VALID, NEARLY, HOSTILE))
    bundle = _bundle(random)
    settings = document("Config", random, "") if random.random() < 0.2 else None
    if sort == NEARLY and random.random() < 0.7:
        at = random.randrange(len(bundle))
        bundle[at] = (bundle[at][0], mutated(bundle[at][1], random))
        if settings is not None:
            settings = mutated(settings, random)
    write = random.choice(_WRITERS)
    apart = random.random() < 0.3
    folder = "specs"
    if sort == HOSTILE and random.random() < 0.1:
        folder = f"specs {hostile.text(random)}".replace("\0", "")[:200]

    def inputs(exchange: Callable[[str], str]) -> Inputs:
        plain = [_plain(data, exchange) for _, data in bundle]
        groups = [[item] for item in plain] if apart else [plain]
        files = {f"{folder}/file-{index}.yaml": write(group) for index, group in enumerate(groups)}
        return Inputs(files, write([_plain(settings, exchange)]) if settings is not None else None)

    how = random.random()
    exchange: Callable[[str], str] = str
    twin = None
    if sort == HOSTILE and how < 0.7:
        exchange, twin = _exchange(random), inputs(str)
    elif sort == HOSTILE and how < 0.85:
        bundle = [(kind, _anywhere(data, random)) for kind, data in bundle]
    made = inputs(exchange)
    if (sort == NEARLY and how < 0.3) or (sort == HOSTILE and how >= 0.85):
        made = Inputs({path: mutated_text(content, random) for path, content in made.files.items()}, made.config)
    documents = [(kind, _plain(data, exchange)) for kind, data in bundle]
    return Case(number, sort, made, twin, documents)


def _anywhere(value: Any, random: Random) -> Any:
    """Hostile texts for some of all texts, and for some keys."""
    if isinstance(value, dict):
        return {
            (hostile.text(random) if random.random() < 0.01 else key): _anywhere(item, random)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_anywhere(item, random) for item in value]
    return hostile.text(random) if isinstance(value, str) and random.random() < 0.1 else value


def _bundle(random: Random) -> list[tuple[str, Any]]:
    """Documents that belong together, in any order."""
    main = random.choices(DOCUMENTS, [_WEIGHTS.get(kind, 1) for kind in DOCUMENTS])[0]
    kinds = [main]
    if main == "SLO":
        kinds += [kind for kind in DOCUMENTS if kind in _PARTS and random.random() < 0.3]
    if main == "InferenceSLO":
        kinds += [kind for kind in ("BurnRatePolicy", "ExperienceCatalog", "Engine") if random.random() < 0.06]
    if random.random() < 0.2:
        kinds.append(random.choice(DOCUMENTS))
    random.shuffle(kinds)
    counts: dict[str, int] = {}
    made = []
    for kind in kinds:
        number = counts.setdefault(kind, 0)
        counts[kind] += 1
        made.append((kind, document(kind, random, f"{kind.lower()}-{number}")))
    return made


_PARTS = frozenset(("SLI", "Service", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"))


def document(kind: str, random: Random, name: str) -> Any:
    """A document of a kind that is valid, as far as its schema and common sense go."""
    schema = _schema(kind)
    density = random.choice((0.05, 0.05, 0.2, 0.5, 0.9))
    pools = POOLS if kind in ("InferenceSLO", "Config") else TIMES
    data = Sampler(random, schema, pools, density).value(schema)
    if name:
        data["metadata"]["name"] = name
    sense = SENSE.get(kind)
    if sense is not None:
        sense(data, random)
    return data


@cache
def _schema(kind: str) -> Any:
    return schema_of(kind)


def _exchange(random: Random) -> Callable[[str], str]:
    """Hostile texts for harmless ones: the same for the same, another for another."""
    share = random.choice((0.3, 1.0))
    chosen: dict[str, str] = {}

    def exchange(text: str) -> str:
        if text not in chosen:
            number = str(len(chosen)) if chosen else ""
            marked = hostile.text(random)
            marked = f"{marked}{number}" if random.random() < 0.5 else f"{number}{marked}"
            chosen[text] = marked if random.random() < share and marked and marked not in chosen.values() else text
        return chosen[text]

    return exchange


def _plain(value: Any, exchange: Callable[[str], str]) -> Any:
    """Data without the marks of the generator, with texts exchanged."""
    if isinstance(value, Query):
        return str(Query.of(value.form, exchange(value.filler)))
    if isinstance(value, Pattern):
        return str(Pattern.of(exchange(value.filler)))
    if isinstance(value, Free):
        return str(exchange(str(value)))
    if isinstance(value, dict):
        return {str(key): _plain(item, exchange) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, exchange) for item in value]
    return copy.copy(value)


class _Dumper(yaml.CSafeDumper):
    """Writes equal parts out, each time."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _block(documents: list[Any]) -> bytes:
    return _dump(documents, default_flow_style=False)


def _block_unicode(documents: list[Any]) -> bytes:
    return _dump(documents, default_flow_style=False, allow_unicode=True, width=200, indent=4)


def _flow(documents: list[Any]) -> bytes:
    return _dump(documents, default_flow_style=True, explicit_start=True)


def _dump(documents: list[Any], **style: Any) -> bytes:
    text: str = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, **style)
    return text.encode()


def _json(documents: list[Any]) -> bytes:
    data = documents[0] if len(documents) == 1 else documents
    # No reader of YAML pairs halves of escapes, and some characters may not stand in a file as they are.
    text = json.dumps(data, ensure_ascii=False, indent=1)
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text).encode()


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"


_WRITERS = (_block, _block, _block_unicode, _flow, _json)
