"""config.toml as it is changed from inside: what the rules screen and its undo stand on.

What a change is says `store.edit`. Here it is made on what the file says now, written as a whole or
not at all, and can be taken back.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from mcpwall.policy.loosening import loosened
from mcpwall.policy.set_risk import lowered
from mcpwall.store import app, audit_config, files, http
from mcpwall.store.config import Config, ConfigError, load, load_text
from mcpwall.store.edit import (
    EditError,
    add_rules,
    drop_rule,
    put_rule,
    put_rules,
    set_risk,
    toggle_rule,
)
from mcpwall.store.schema import way_to
from mcpwall.store.shared import setting
from mcpwall.store.watch import signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mcpwall.model import Risk

Ways: TypeAlias = "Mapping[str, tuple[object, ...]]"  # how to start or reach servers, by name

UNDO_STEPS: Final = 50

TEMPLATE: Final = """\
# The rules of mcpwall. Edit this file by hand or in the app: both keep what the other wrote.
# Every key is explained in config.example.toml and docs/rules.md; `mcpwall rules check` checks.

"""


class ConfigFile:
    """config.toml on disk and the config in force, which is the last one that was accepted.

    Each change is made on what the file says now. An edit from outside that nobody has seen yet
    is kept when it loads and loosens nothing; else the change is refused. Undo goes back through
    changes made here, not past an edit from outside. `also` says what else an edit could permit,
    beside what this file tells.
    """

    def __init__(self, path: str, config: Config) -> None:
        self.path = path
        self.also: Callable[[Config], Iterable[str]] = lambda _: ()
        self._ways: dict[str, tuple[object, ...]] = {}  # to servers, also those that are gone
        self._take(config)
        self._undo: deque[str] = deque(maxlen=UNDO_STEPS)
        self._redo: deque[str] = deque(maxlen=UNDO_STEPS)

    @classmethod
    def open(cls, path: str) -> ConfigFile:
        """The file as it is; one that does not exist counts as empty. Raises ConfigError."""
        return cls(path, _on_disk(path))

    @property
    def config(self) -> Config:
        """The config in force."""
        return self._config

    @property
    def undo_steps(self) -> int:
        """How many changes can be undone."""
        return len(self._undo)

    @property
    def redo_steps(self) -> int:
        """How many undone changes can be made again."""
        return len(self._redo)

    def put(self, fields: Mapping[str, Any], replaces: str = "") -> Config:
        """Add a rule or replace one, see `put_rule`. Raises EditError, ConfigError."""
        return self._change(lambda config: put_rule(config, fields, replaces))

    def add(self, rules: Sequence[tuple[Mapping[str, Any], str]]) -> Config:
        """Add rules with their comments in one step, see `add_rules`. Raises as that does."""
        return self._change(lambda config: add_rules(config, rules))

    def put_all(self, rules: Sequence[Mapping[str, Any]]) -> Config:
        """Put in several rules in one step, see `put_rules`. Raises EditError, ConfigError."""
        return self._change(lambda config: put_rules(config, rules))

    def drop(self, rule: str) -> Config:
        """Take a rule out, see `drop_rule`. Raises EditError, ConfigError."""
        return self._change(lambda config: drop_rule(config, rule))

    def toggle(self, rule: str, *, enabled: bool) -> Config:
        """Turn a rule on or off, see `toggle_rule`. Raises EditError, ConfigError."""
        return self._change(lambda config: toggle_rule(config, rule, enabled=enabled))

    def set_risk(self, server: str, tool: str, risk: Risk | None) -> Config:
        """Set the class of one tool, see `set_risk`. Raises EditError, ConfigError."""
        return self._change(lambda config: set_risk(config, server, tool, risk))

    def undo(self) -> Config:
        """Take the last change back. Raises EditError."""
        return self._step(self._undo, self._redo, "undo")

    def redo(self) -> Config:
        """Make the change again that was undone last. Raises EditError."""
        return self._step(self._redo, self._undo, "redo")

    def outside(self) -> Config | None:
        """What an edit from outside made of the file; None when it is what is in force.

        Raises ConfigError when the file does not load now.
        """
        config = _on_disk(self.path)
        return None if config.text == self._config.text else config

    def loosens(self, outside: Config) -> tuple[str, ...]:
        """What an edit from outside could newly permit; empty for nothing."""
        said = (*loosens(self._config, outside, self._ways), *self.also(outside))
        return tuple(dict.fromkeys(said))

    def accept(self, config: Config) -> None:
        """Put in force what `outside` found."""
        self._take(config)
        self._undo.clear()
        self._redo.clear()

    def put_back(self) -> None:
        """Write the config in force over an edit from outside. Raises EditError."""
        self._write(self._config.text)

    def _change(self, change: Callable[[Config], Config]) -> Config:
        before = self._config
        seen = self._newest()
        base = load_text(TEMPLATE, seen.file) if not seen.text else seen
        changed = change(base)
        if changed.text == base.text:
            return before
        self._write(changed.text)
        if seen is not before:
            self._undo.clear()
        self._undo.append(seen.text)
        self._redo.clear()
        self._take(changed)
        return changed

    def _take(self, config: Config) -> None:
        self._config = config
        self._ways |= _ways(config)

    def _newest(self) -> Config:
        """The config in force, or an edit from outside that may come in without a question."""
        try:
            outside = self.outside()
        except ConfigError as error:
            raise EditError(f"{error} (the file was edited outside; mend it first)") from error
        if outside is None:
            return self._config
        if what := self.loosens(outside):
            raise EditError(
                f"{self._config.file} was edited outside and would permit more now ({what[0]}); "
                "accept or refuse that edit first"
            )
        return outside

    def _step(self, source: deque[str], target: deque[str], name: str) -> Config:
        if not source:
            raise EditError(f"there is nothing to {name}")
        try:
            edited = self.outside() is not None
        except ConfigError:
            edited = True
        if edited:
            raise EditError(
                f"{self._config.file} was edited outside since; {name} would take that back too"
            )
        config = load_text(source[-1], self._config.file)
        self._write(config.text)
        target.append(self._config.text)
        source.pop()
        self._take(config)
        return config

    def _write(self, text: str) -> None:
        try:
            if not Path(self.path).parent.exists():
                files.private_dir(str(Path(self.path).parent))
            files.write_atomic(self.path, text)
        except files.UnsafeFileError as error:
            raise EditError(f"nothing was saved: {error}") from error
        except OSError as error:
            raise EditError(
                f"nothing was saved: {self.path} cannot be written: {error.strerror}; the rules "
                "in force stay as they were"
            ) from error


def loosens(old: Config, new: Config, ways: Ways | None = None) -> tuple[str, ...]:
    """Sentences for all that `new` could permit and `old` does not; see `policy.loosening`.

    `ways` are those to servers that were known before: one that was taken out and comes back
    otherwise is led elsewhere as well. Without it they are those of `old`.
    """
    ways = _ways(old) if ways is None else ways
    trusted = [
        f"the hints of server {name} may lower the risk of its tools"
        for name, server in new.servers.items()
        if server.trust_hints and not (name in old.servers and old.servers[name].trust_hints)
    ]
    elsewhere = [
        f"the server {name} is started or reached in another way"
        for name, server in new.servers.items()
        if name in ways and way_to(server) != ways[name]
    ]
    policy = new.policy()
    rules = (*loosened(old.policy(), policy), *lowered(policy, old.risks, new.risks))
    stores = setting.loosened(old.store, new.store)
    kept = audit_config.loosened(old.audit, new.audit)
    doors = (*http.loosened(old.http, new.http), *app.moved(old.keys, new.keys))
    return (*rules, *trusted, *elsewhere, *doors, *stores, *kept)


def _ways(config: Config) -> dict[str, tuple[object, ...]]:
    return {name: way_to(server) for name, server in config.servers.items()}


def _on_disk(path: str) -> Config:
    if signature(path) is None and not Path(path).is_symlink():
        return load_text("", Path(path).name)
    return load(path)
