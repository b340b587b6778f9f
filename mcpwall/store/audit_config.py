"""`[audit]`: what the record may keep of secrets, and which values of the config are some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mcpwall.policy.masking import names_secret
from mcpwall.policy.match import GlobError, Names
from mcpwall.store.forms import Reader, bad, choice, patterns, table

if TYPE_CHECKING:
    from mcpwall.store.schema import AnyServer


@dataclass(frozen=True, slots=True)
class AuditConfig:
    """Whether secrets are hidden, and the names of arguments that always are (globs)."""

    masks: bool = True
    names: tuple[str, ...] = ()


def _names(value: Any) -> tuple[str, ...]:
    found = patterns(value)
    try:
        Names(found)
    except GlobError as error:
        raise bad(f"holds a pattern that cannot be read: {error}") from error
    return found


AUDIT: Final[Mapping[str, Reader]] = {"secrets": choice(["mask", "keep"]), "mask": _names}


def audit(value: Any) -> AuditConfig:
    """Read `[audit]`. Raises BadValueError."""
    read = table(AUDIT, "[audit]")(value)
    return AuditConfig(read.get("secrets", "mask") == "mask", read.get("mask", ()))


def loosened(old: AuditConfig, new: AuditConfig) -> tuple[str, ...]:
    """A sentence for each way in which `new` keeps more of secrets than `old`."""
    if old.masks and not new.masks:
        return ("secrets in arguments would be kept in the record",)
    if new.masks and not set(old.names) <= set(new.names):
        return ("fewer arguments would be hidden in the record",)
    return ()


def secrets_of(servers: Mapping[str, AnyServer]) -> Iterator[str]:
    """The values in the environments of servers whose names say that they are secret."""
    for server in servers.values():
        environment: Mapping[str, str] = getattr(server, "env", {})
        yield from (value for name, value in environment.items() if names_secret(name))
