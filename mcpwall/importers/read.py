"""The door: a policy's text in, rules of ours out, by the format that its name tells."""

from __future__ import annotations

from pathlib import PurePath

from mcpwall.importers import documents, intercept, policylayer
from mcpwall.importers.outcome import Imported, PolicyError


def read_policy(text: str, file: str, server: str = "") -> Imported:
    """The rules that the policy in `text` means for `server` ("": for every server).

    `file` is its name: `.json` is PolicyLayer's format, `.yaml` and `.yml` are Intercept's.
    Raises PolicyError.
    """
    match PurePath(file).suffix.lower():
        case ".json":
            return policylayer.rules(documents.from_json(text), file, server)
        case ".yaml" | ".yml":
            return intercept.rules(documents.from_yaml(text), file, server)
    raise PolicyError("the name must end in .json (PolicyLayer) or .yaml (Intercept)")
