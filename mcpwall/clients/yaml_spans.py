"""YAML read with the place of every value. Pure; the parsing is PyYAML's."""

from __future__ import annotations

from typing import Any

import yaml

from mcpwall.clients.nodes import DEPTH_MAX, Member, Node, UnreadableError


def parse(text: str) -> Node:
    """The value that a text holds. Raises UnreadableError, also for more than one document."""
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        return _node(loader, root, 0) if root is not None else Node(None, 0, 0)
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


def _node(loader: yaml.SafeLoader, node: yaml.Node, depth: int) -> Node:
    start, end = node.start_mark.index, node.end_mark.index
    if depth > DEPTH_MAX:
        raise UnreadableError(node.start_mark.line + 1, "values are nested too deep")
    if isinstance(node, yaml.SequenceNode):
        items = tuple(_node(loader, item, depth + 1) for item in node.value)
        block = not node.flow_style
        end = max((item.end for item in items), default=end) if block else end
        return Node([item.value for item in items], start, end, items=items, block=block)
    if not isinstance(node, yaml.MappingNode):
        return Node(loader.construct_object(node), start, end)
    members: dict[str, Member] = {}
    plain: dict[Any, Any] = {}
    doubled = set()
    for key, value in node.value:
        name = str(key.value)
        inner = _node(loader, value, depth + 1)
        if name in members:
            doubled.add(name)
        members[name] = Member(key.start_mark.index, inner)
        plain[name] = inner.value
    block = not node.flow_style
    # a block ends with its last part: PyYAML counts the comments and lines behind it as well
    end = max((m.node.end for m in members.values()), default=end) if block else end
    return Node(plain, start, end, members, block=block, doubled=frozenset(doubled))
