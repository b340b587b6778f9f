"""YAML read with the place of every value. Pure; the parsing is PyYAML's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import yaml

from mcpwall.clients.nodes import DEPTH_MAX, Member, Node, UnreadableError

_VALUES_MAX: Final = 100_000  # aliases counted as what they stand for


def parse(text: str) -> Node:
    """The value that a text holds. Raises UnreadableError, also for more than one document."""
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        return _Reader(loader).value(root, 0) if root is not None else Node(None, 0, 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "this is not YAML"
        raise UnreadableError(mark.line + 1 if mark else 1, what) from error
    except yaml.reader.ReaderError as error:
        what = f"this is not YAML: {error.reason}"
        raise UnreadableError(text.count("\n", 0, error.position) + 1, what) from error
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableError(1, f"this is not YAML: {error}") from error
    except RecursionError:
        raise UnreadableError(1, "values are nested too deep") from None


class _Reader:
    """Makes values of PyYAML's nodes, as many as a file may hold: few aliases can mean billions."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._loader = loader
        self._made = 0

    def value(self, node: yaml.Node, depth: int) -> Node:
        self._made += 1
        if depth > DEPTH_MAX:
            raise UnreadableError(node.start_mark.line + 1, "values are nested too deep")
        if self._made > _VALUES_MAX:
            what = f"with its aliases followed, the file holds over {_VALUES_MAX:,} values"
            raise UnreadableError(node.start_mark.line + 1, what)
        if isinstance(node, yaml.SequenceNode):
            return self._list(node, depth)
        if isinstance(node, yaml.MappingNode):
            return self._table(node, depth)
        return Node(self._scalar(node), node.start_mark.index, node.end_mark.index)

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            return self._loader.construct_object(node)
        except (ValueError, LookupError, AttributeError) as error:  # as PyYAML lets them through
            what = f"this is no {node.tag.rpartition(':')[2]} as YAML knows it"
            raise UnreadableError(node.start_mark.line + 1, what) from error

    def _list(self, node: yaml.SequenceNode, depth: int) -> Node:
        items = tuple(self.value(item, depth + 1) for item in node.value)
        block = not node.flow_style
        end = _end(node, items)
        plain = [item.value for item in items]
        return Node(plain, node.start_mark.index, end, items=items, block=block)

    def _table(self, node: yaml.MappingNode, depth: int) -> Node:
        members: dict[str, Member] = {}
        plain: dict[Any, Any] = {}
        doubled = set()
        for key, value in node.value:
            name = str(key.value)
            inner = self.value(value, depth + 1)
            if name in members:
                doubled.add(name)
            members[name] = Member(key.start_mark.index, inner)
            plain[name] = inner.value
        end = _end(node, [member.node for member in members.values()])
        block = not node.flow_style
        return Node(
            plain, node.start_mark.index, end, members, block=block, doubled=frozenset(doubled)
        )


def _end(node: yaml.CollectionNode, parts: Collection[Node]) -> int:
    """Where a value ends; a block with its last part.

    PyYAML counts the comments and lines behind it as well.
    """
    end = int(node.end_mark.index)
    return end if node.flow_style else max((part.end for part in parts), default=end)
