"""The rules of the projects where agents run: `.mcpwall.toml` there and in the directories above.

A project's files may only tighten, and all of them count, so no file hides one above it. They lie
where agents write. So an edit that loosens them waits for a person, as one of the user's own file
does; and files that do not load deny, for nobody knows what they would have said.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from pathlib import Path
from typing import Final

import msgspec

from mcpwall.engine.mistakes import mistakes
from mcpwall.engine.port_rules import Mistake, OutsideEdit
from mcpwall.model import JsonObject, Risk, Rule
from mcpwall.policy.compile import Policy, compile_policy, stricter
from mcpwall.policy.compiled import RuleError
from mcpwall.policy.loosening import loosened
from mcpwall.store.config import Config, ConfigError, load
from mcpwall.store.difference import diff
from mcpwall.store.watch import Watch, signature

PROJECT_FILE: Final = ".mcpwall.toml"
FILES_MAX: Final = 10  # that cover one directory
TEXT_MAX: Final = 128 * 1024  # characters of all of them


class Project(msgspec.Struct):
    """What is in force where an agent runs. `fault`: why everything is denied, or ''."""

    configs: tuple[Config, ...]  # the outermost first
    policy: Policy
    fault: str = ""
    mistakes: tuple[Mistake, ...] = ()  # in the file that does not load
    watches: dict[str, Watch] = {}
    waiting: tuple[Config, ...] | None = None  # what an edit made of the files, if it loosens
    declined: str = ""  # hash of an edit that a person did not accept


class Projects:
    """The policy of every directory that was asked for. `user` is the config of the user."""

    def __init__(self, user: Config) -> None:
        self._user = user
        self._known: dict[str, Project] = {}

    def policy(self, directory: str) -> tuple[Policy, str]:
        """The policy for an agent in this directory, and why everything is denied, or ''."""
        project = self._known.get(directory)
        if project is None:
            project = self._known[directory] = self._read(directory)
        return project.policy, project.fault

    def user_changed(self, user: Config) -> None:
        """Other rules of the user's are in force."""
        self._user = user
        for project in self._known.values():
            project.policy, project.fault = self._compile(project.configs, project.fault)

    @property
    def policies(self) -> list[Policy]:
        """The user's rules with those of each project."""
        return [project.policy for project in self._known.values()]

    def rules(self) -> list[tuple[Rule, JsonObject]]:
        """The rules of all projects, with their tables as written."""
        configs = {config.file: config for p in self._known.values() for config in p.configs}
        return [one for config in configs.values() for one in config.written()]

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """All that is wrong in files that do not load, each once."""
        found = (mistake for project in self._known.values() for mistake in project.mistakes)
        return tuple(dict.fromkeys(found))

    @property
    def outside_edit(self) -> OutsideEdit | None:
        """An edit that waits for a person: what it changes, and what it would permit."""
        for project in self._known.values():
            if project.waiting is not None:
                what = loosened(project.policy, self._compile(project.waiting)[0])
                text = _difference(project.configs, project.waiting)
                return OutsideEdit(_hash(project.waiting), text, what)
        return None

    def answer(self, text_hash: str, *, accept: bool) -> bool:
        """Put a waiting edit in force, or go on without it; False when none of this hash waits."""
        found = False
        for project in self._known.values():
            if project.waiting is None or _hash(project.waiting) != text_hash:
                continue
            found = True
            if accept:
                project.configs = project.waiting
                project.policy, project.fault = self._compile(project.configs)
            else:
                project.declined = text_hash
            project.waiting = None
        return found

    def poll(self) -> str:
        """Look whether files have changed; says what did, or ''."""
        said = ""
        for directory, project in self._known.items():
            paths = _find(directory)
            watches = {path: project.watches.get(path) or Watch(None) for path in paths}
            looked = [watch.look(signature(path)) for path, watch in watches.items()]
            if any(looked) or watches.keys() != project.watches.keys():
                project.watches = watches
                said = self._look(project, paths) or said
        return said

    def _look(self, project: Project, paths: list[str]) -> str:
        try:
            configs = _load(paths)
        except ConfigError as error:
            fault, before = _fault(error), project.mistakes
            good = next((one for one in project.configs if one.file == error.file), None)
            project.mistakes = mistakes(error, error.file, good, project=True)
            if (fault, project.mistakes) == (project.fault, before):
                return ""
            project.fault = fault
            return fault
        project.mistakes = ()
        if not project.fault and configs == (project.waiting or project.configs):
            return ""
        policy, fault = self._compile(configs)
        if fault:  # what was in force is what the next edit is held against
            said = "" if fault == project.fault else fault
            project.fault, project.waiting = fault, None
            return said
        where = configs[-1].file if configs else "a project's file that is gone"
        text_hash = _hash(configs)
        if loosened(project.policy, policy):
            project.fault = ""  # the files load again: the rules in force hold
            if text_hash == project.declined:
                said = f"{where} is again what was not accepted" if project.waiting else ""
                project.waiting = None
                return said
            project.waiting = configs
            return f"{where} was loosened; it waits for a person"
        project.configs, project.policy, project.fault = configs, policy, ""
        project.waiting = None
        return f"{where} has changed"

    def _read(self, directory: str) -> Project:
        """Start from what is in force in the directories around, as if it had held here too.

        So an edit that waits there waits here: an agent that starts elsewhere in the project does
        not get round it.
        """
        paths = _find(directory)
        around = {config.file: config for p in self._known.values() for config in p.configs}
        places = [str(place / PROJECT_FILE) for place in reversed(_places(directory))]
        configs = tuple(around[path] for path in places if path in around)
        project = Project(configs, *self._compile(configs))
        project.watches = {path: Watch(signature(path)) for path in paths}
        self._look(project, paths)
        return project

    def _compile(self, configs: tuple[Config, ...], fault: str = "") -> tuple[Policy, str]:
        """The user's rules tightened by the projects'."""
        own = self._user.defaults
        rules = [rule for config in configs for rule in config.rules]
        try:
            defaults = own
            for config in configs:
                defaults = stricter(defaults, config.defaults_over(own))
            policy = compile_policy(
                self._user.rules,
                own,
                project_rules=rules,
                project_defaults=defaults,
                rest=self._user.rest,
                also=_also(configs),
            )
        except RuleError as error:
            user = self._user.policy()
            return user, f"the project's rules do not load ({error})"
        return policy, fault


def _load(paths: list[str]) -> tuple[Config, ...]:
    """The files that cover a directory. Raises ConfigError, also where all of them are too much."""
    if len(paths) > FILES_MAX:
        what = f"is one of more than {FILES_MAX} such files above one directory"
        raise ConfigError(paths[FILES_MAX], 0, what, "write their rules into fewer files")
    configs: list[Config] = []
    for path in paths:
        configs.append(load(path, project=True, name=path))
        if sum(len(config.text) for config in configs) > TEXT_MAX:
            what = f"has more than {TEXT_MAX // 1024} Ki characters with those above it"
            raise ConfigError(path, 0, what, "put more rules into your own file")
    return tuple(configs)


def _also(configs: tuple[Config, ...]) -> dict[str, dict[str, tuple[Risk, ...]]]:
    """The classes that projects' files give to tools."""
    also: dict[str, dict[str, tuple[Risk, ...]]] = {}
    for config in configs:
        for server, risks in config.risks.items():
            tools = also.setdefault(server, {})
            for tool, said in risks.items():
                tools[tool] = tuple(dict.fromkeys((*tools.get(tool, ()), said.risk)))
    return also


def _fault(error: ConfigError) -> str:
    return f"the project's rules do not load ({error})"


def _hash(configs: tuple[Config, ...]) -> str:
    text = "".join(f"{config.file}\0{config.text}\0" for config in configs)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _difference(old: tuple[Config, ...], new: tuple[Config, ...]) -> str:
    before = {config.file: config for config in old}
    after = {config.file: config for config in new}
    files = [*before, *(file for file in after if file not in before)]
    empty = {file: Config(file=file, text="") for file in files}
    return "".join(diff(before.get(f, empty[f]), after.get(f, empty[f])) for f in files)


def _find(directory: str) -> list[str]:
    """The project files that cover a directory, the outermost first.

    Neither the home directory nor the root is a project.
    """
    found = [place / PROJECT_FILE for place in reversed(_places(directory))]
    return [str(candidate) for candidate in found if _is_there(candidate)]


def _places(directory: str) -> list[Path]:
    """The directory and those above it that can be projects', the innermost first."""
    if not directory:
        return []
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home raises where nobody has a name
    here = Path(directory)
    places = (here, *here.parents)
    return list(itertools.takewhile(lambda p: p not in (home, Path(p.anchor)), places))


def _is_there(path: Path) -> bool:
    """Whether there is anything of that name: what is no readable file is for `load` to refuse."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
