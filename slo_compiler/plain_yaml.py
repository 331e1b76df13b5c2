"""YAML composed without guessing: no scalar is taken for a number, a date or a truth until a field reads it."""

from __future__ import annotations

from typing import Any

import yaml

MERGE = "tag:yaml.org,2002:merge"
_TAGS = {
    yaml.ScalarNode: "tag:yaml.org,2002:str",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
    yaml.MappingNode: "tag:yaml.org,2002:map",
}


class Composer(yaml.CSafeLoader):
    """libyaml's composer; asking it what each plain scalar could be would take half of its time."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """The tag of a node that has none of its own; of guesses, only the one that makes a key no text is kept."""
        if value == "<<" and implicit[0]:
            return MERGE
        return _TAGS[kind]

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        """Nothing: no path decides a type."""

    def ascend_resolver(self) -> None:
        """Nothing: no path decides a type."""


def read_trusted(content: bytes) -> Any:
    """The one document of a shipped file as lists, dicts and text.

    Raises:
        yaml.YAMLError: it is no YAML, which is a fault of the package.
    """
    root = yaml.compose(content, Loader=Composer)
    return _data(root) if root is not None else None


def _data(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_data(item) for item in node.value]
    return {key.value: _data(value) for key, value in node.value}
