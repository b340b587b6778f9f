"""Every action of the app with its keys and its words: the one table.

The footer, the help screen, the command palette and the key handling are made from it. `[keys]` of
the config moves keys by action id. Knows no Textual: a key is written as a person writes it: one
printable character, or a name such as `enter`, `ctrl+s`, `shift+tab`, `pagedown`.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class KeysError(ValueError):
    """`[keys]` cannot be used; the text says which entry, why, and what to do."""


class Action(msgspec.Struct, frozen=True):
    """Something that a key does.

    `id` is `scope.name`: the scope is the screen where the key works, `app` means everywhere.
    `label` is the word in the footer, empty where the footer leaves it out. `engine` says that it
    does nothing without an engine.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    engine: bool = False

    @property
    def scope(self) -> str:
        """The screen where its keys work."""
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        """What it is called within its scope."""
        return self.id.partition(".")[2]


def _action(id_: str, keys: str, label: str, help_: str, *, engine: bool = False) -> Action:
    return Action(id_, tuple(keys.split()), label, help_, engine)


ACTIONS = (
    _action("calls.up", "up k", "", "one call up"),
    _action("calls.down", "down j", "", "one call down"),
    _action("calls.page_up", "pageup", "", "one page up"),
    _action("calls.page_down", "pagedown", "", "one page down"),
    _action("calls.first", "g home", "", "to the oldest call"),
    _action("calls.last", "G end", "", "to the newest call, and follow"),
    _action("calls.open", "enter", "full view", "the whole call; a waiting one in Review"),
    _action("calls.rule", "r", "rule", "a rule from this call, or from all marked", engine=True),
    _action("calls.reason", "R", "why", "the rule that decided, or an exception", engine=True),
    _action("calls.keep", "+", "", "only calls of this tool; again: server, agent, verdict"),
    _action("calls.drop", "-", "", "no calls of this tool, or of what + keeps"),
    _action("calls.diff", "=", "diff", "what changed since the call like it; between two marked"),
    _action("calls.raw", "v", "raw", "arguments as raw JSON, or a field a line"),
    _action("calls.follow", "f", "follow", "follow the newest call, or stay"),
    _action("calls.mark", "space", "mark", "mark this call, or no more; = r y take marked ones"),
    _action("calls.unmark", "escape", "", "unmark all calls"),
    _action("calls.copy", "y", "copy", "copy the arguments as JSON; of all marked calls"),
    _action("calls.paste", "c", "", "copy a command that guards a server, while there is no call"),
    _action("calls.demo", "t", "", "see pretend agents at work, while there is no call"),
    _action("call.up", "up k", "", "one line up"),
    _action("call.down", "down j", "", "one line down"),
    _action("call.page_up", "pageup", "", "one page up"),
    _action("call.page_down", "pagedown space", "", "one page down"),
    _action("call.first", "g home", "", "to the start"),
    _action("call.last", "G end", "", "to the end"),
    _action("call.raw", "v", "raw", "arguments as raw JSON, or a field a line"),
    _action("call.copy", "y", "copy", "copy the arguments as JSON"),
    _action("call.close", "escape enter q", "back", "back to the calls"),
    _action("review.allow", "a", "allow", "let this call through, once", engine=True),
    _action("review.confirm", "!", "", "second key for a call that executes, destroys or pays"),
    _action("review.deny", "d", "deny", "refuse this call", engine=True),
    _action("review.deny_why", "D", "deny, say why", "refuse it with a reason", engine=True),
    _action("review.edit", "e", "edit", "change the arguments, then decide", engine=True),
    _action("review.unedit", "u", "", "take the edit back: the arguments as the agent sent them"),
    _action("review.remember", "s", "remember", "remember the answer, and for what", engine=True),
    _action("review.widen", "tab", "", "remembered answer: match one step wider"),
    _action("review.narrow", "shift+tab", "", "remembered answer: match one step narrower"),
    _action("review.next", "]", "next", "the next waiting call"),
    _action("review.previous", "[", "previous", "the waiting call before"),
    _action("review.group", "*", "group", "decide on all calls alike to this one together"),
    _action("review.rule", "r", "", "the rule offered, or one from this call", engine=True),
    _action("review.raw", "v", "raw", "arguments as raw JSON, or a field a line"),
    _action("review.reveal", ".", "", "show hidden secrets, or hide them again", engine=True),
    _action("review.diff", "=", "diff", "what changed since the previous call like it"),
    _action("review.up", "up k", "", "one line up"),
    _action("review.down", "down j", "", "one line down"),
    _action("review.page_up", "pageup", "", "one page up"),
    _action("review.page_down", "pagedown", "", "one page down"),
    _action("review.first", "g home", "", "to the start of the arguments"),
    _action("review.last", "G end", "", "to the end of the arguments"),
    _action("review.later", "escape", "later", "back to the calls; this one goes on waiting"),
    _action("rules.up", "up k", "", "one rule up"),
    _action("rules.down", "down j", "", "one rule down"),
    _action("rules.first", "g home", "", "to the first rule"),
    _action("rules.last", "G end", "", "to the last rule"),
    _action("rules.new", "n", "new", "write a rule", engine=True),
    _action("rules.edit", "e enter", "edit", "change this rule", engine=True),
    _action("rules.toggle", "space", "on/off", "switch this rule on or off", engine=True),
    _action("rules.delete", "d", "delete", "delete this rule, after a confirm", engine=True),
    _action("rules.test", "t", "test", "which of the last calls this rule matches", engine=True),
    _action("rules.calls", "l", "", "the calls on which this rule decided"),
    _action("rules.editor", "o", "editor", "open the file in $EDITOR, at this line"),
    _action("rules.undo", "u", "undo", "undo the last change of the rules", engine=True),
    _action("rules.redo", "U", "redo", "do it again", engine=True),
    _action("rules.accept", "c", "", "accept the edit from outside that is shown", engine=True),
    _action("rules.reject", "x", "", "put the rules in force back over it", engine=True),
    _action("rules.page_up", "pageup", "", "one page up in what is said below the rules"),
    _action("rules.page_down", "pagedown", "", "one page down in it"),
    _action("servers.up", "up k", "", "one line up"),
    _action("servers.down", "down j", "", "one line down"),
    _action("servers.first", "g home", "", "to the first server"),
    _action("servers.last", "G end", "", "to the last tool"),
    _action("servers.page_up", "pageup", "", "one page up in what is said of it"),
    _action("servers.page_down", "pagedown", "", "one page down in it"),
    _action("servers.open", "enter", "fold", "fold a server's tools away, or show them"),
    _action("servers.accept", "c", "accept", "see what changed, and accept it", engine=True),
    _action("servers.block", "x", "block", "deny every call of this tool, or no more", engine=True),
    _action("servers.hide", "h", "hide", "keep this tool from agents, or no more", engine=True),
    _action("servers.risk", "R", "risk", "set the class of risk of this tool", engine=True),
    _action("servers.recommended", "m", "recommended", "the recommended rule", engine=True),
    _action("servers.recommended_all", "M", "", "the recommended rules for all", engine=True),
    _action("servers.rule", "r", "rule", "write a rule about this tool", engine=True),
    _action("servers.forget", "d", "forget", "forget this server, after a confirm", engine=True),
    _action("servers.undo", "u", "", "undo the last change of config.toml", engine=True),
    _action("servers.redo", "U", "", "do it again", engine=True),
    _action("sessions.up", "up k", "", "one session up"),
    _action("sessions.down", "down j", "", "one session down"),
    _action("sessions.first", "g home", "", "to the first session"),
    _action("sessions.last", "G end", "", "to the last session"),
    _action("sessions.calls", "enter", "its calls", "the calls of this session alone"),
    _action("sessions.pause", "space", "pause", "refuse its calls, or let it go on", engine=True),
    _action("sessions.cut", "x", "cut off", "end this session, after a confirm", engine=True),
    _action("audit.search", "s", "search", "look for something in the whole record"),
    _action("audit.more", "m", "more", "look further back", engine=True),
    _action("audit.up", "up k", "", "one call up"),
    _action("audit.down", "down j", "", "one call down"),
    _action("audit.page_up", "pageup", "", "one page up"),
    _action("audit.page_down", "pagedown", "", "one page down"),
    _action("audit.first", "g home", "", "to the newest call"),
    _action("audit.last", "G end", "", "to the oldest call found"),
    _action("audit.open", "enter", "full view", "the whole call"),
    _action("audit.rule", "r", "rule", "make a rule or a limit from this call", engine=True),
    _action("form.next", "tab down", "", "the next field"),
    _action("form.previous", "shift+tab up", "", "the field before"),
    _action("form.save", "ctrl+s", "save", "save the rule", engine=True),
    _action("form.list", "ctrl+l", "list", "list the calls that it changes; enter below, too"),
    _action("form.close", "escape", "discard", "close without saving"),
    _action("sheet.up", "up k", "", "one line up"),
    _action("sheet.down", "down j", "", "one line down"),
    _action("sheet.page_up", "pageup", "", "one page up"),
    _action("sheet.page_down", "pagedown space", "", "one page down"),
    _action("sheet.first", "g home", "", "to the start"),
    _action("sheet.last", "G end", "", "to the end"),
    _action("sheet.close", "escape enter q", "back", "close the list"),
    _action("decide.allow", "a", "allow", "allow what is asked here", engine=True),
    _action("decide.confirm", "!", "", "second key for what executes, destroys or pays"),
    _action("decide.deny", "d", "deny", "refuse it", engine=True),
    _action("decide.up", "up k", "", "one line up"),
    _action("decide.down", "down j", "", "one line down"),
    _action("decide.page_up", "pageup", "", "one page up"),
    _action("decide.page_down", "pagedown", "", "one page down"),
    _action("decide.first", "g home", "", "to the start"),
    _action("decide.last", "G end", "", "to the end"),
    _action("decide.close", "escape", "later", "decide nothing now"),
    _action("edit.check", "ctrl+s", "check", "check what is written, show it", engine=True),
    _action("edit.restore", "ctrl+r", "as sent", "the arguments as the agent sent them"),
    _action("edit.close", "escape", "back", "back to the call; what is written is kept"),
    _action("agents.up", "up k", "", "one file or server up"),
    _action("agents.down", "down j", "", "one file or server down"),
    _action("agents.page_up", "pageup", "", "one page up in the change"),
    _action("agents.page_down", "pagedown space", "", "one page down in the change"),
    _action("agents.write", "w", "write it", "write the change that is shown, after a confirm"),
    _action("agents.paste", "c", "copy a command", "copy a command to paste yourself"),
    _action("agents.close", "escape q", "back", "back to the wall"),
    _action("risk.up", "up k", "", "one class up"),
    _action("risk.down", "down j", "", "one class down"),
    _action("risk.page_up", "pageup", "", "one page up in what it changes"),
    _action("risk.page_down", "pagedown space", "", "one page down in it"),
    _action("risk.set", "ctrl+s", "set it", "give the tool the class that is shown", engine=True),
    _action("risk.close", "escape q", "leave", "leave the class as it is"),
    _action("help.up", "up k", "", "one line up"),
    _action("help.down", "down j", "", "one line down"),
    _action("help.page_up", "pageup", "", "one page up"),
    _action("help.page_down", "pagedown space", "", "one page down"),
    _action("help.first", "g home", "", "to the start"),
    _action("help.last", "G end", "", "to the end"),
    _action("help.close", "escape q ?", "close", "close the help"),
    _action("confirm.yes", "y", "yes", "do it"),
    _action("confirm.no", "n escape", "no", "leave it"),
    _action("app.review", "p 2", "review", "the calls that wait for you"),
    _action("app.filter", "/", "filter", "show only the calls that match"),
    _action("app.lockdown", "L", "lockdown", "refuse tool calls; off after a confirm", engine=True),
    _action("app.calls", "1", "", "screen: calls"),
    _action("app.rules", "3", "", "screen: rules"),
    _action("app.servers", "4", "", "screen: servers and tools"),
    _action("app.sessions", "5", "", "screen: sessions"),
    _action("app.audit", "6", "", "screen: audit, all calls ever recorded"),
    _action("app.help", "?", "help", "all keys"),
    _action("app.commands", ": ctrl+p", "commands", "all actions by name"),
    _action("app.guard", "i", "", "guard an agent: let its servers be reached through the wall"),
    _action("app.theme", "ctrl+t", "", "dark, light or high-contrast colours"),
    _action("app.detach", "q ctrl+q", "detach", "leave; the wall goes on without the app"),
    _action("app.leave", "ctrl+c", "", "how to leave"),
    _action("app.suspend", "ctrl+z", "", "back to the shell; fg shows the app again"),
    _action("app.stop", "Q", "", "stop the wall and every session, after a confirm", engine=True),
)

# Fingers rest on these, or hit them to close something: they must never let a call through.
_NEVER_DECIDE = frozenset(("enter", "space", "y"))
_DECISIONS = ("review.allow", "review.confirm", "decide.allow", "decide.confirm")
_SHOWN = {
    "enter": "↵",
    "escape": "esc",
    "up": "↑",
    "down": "↓",
    "pageup": "pgup",
    "pagedown": "pgdn",
}
_NAMED = re.compile(
    r"((ctrl|alt|shift)\+)*(enter|escape|tab|space|backspace|delete|insert|home|end|up|down|left"
    r"|right|pageup|pagedown|f[1-9]|f1[0-2]|[!-~])"
)


def shown(key: str) -> str:
    """A key as the screen writes it: `↵` for `enter`."""
    return _SHOWN.get(key, key)


def key_name(key: str, character: str | None) -> str:
    """The name used here for a key event: its printable character, else Textual's name for it."""
    if character and character.isprintable() and character != " ":
        return character
    return key


class KeyMap:
    """The table with a person's `[keys]` laid over it.

    `moved` maps action ids to keys separated by blanks. Raises KeysError for an unknown action or
    key, a key that two actions of one screen would share, and a decision on a key that people hit
    without deciding anything.
    """

    def __init__(self, moved: Mapping[str, str] | None = None) -> None:
        self._actions = {action.id: action for action in ACTIONS}
        moved = moved or {}
        for id_, keys in moved.items():
            self._actions[id_] = replace(self._known(id_), keys=_keys(id_, keys))
        self._by_key: dict[tuple[str, str], Action] = {}
        for action in sorted(
            self, key=lambda action: action.id in moved
        ):  # the moved ones are late
            for key in action.keys:
                self._claim(action, key)

    def __getitem__(self, id_: str) -> Action:
        return self._actions[id_]

    def __iter__(self) -> Iterator[Action]:
        return iter(self._actions.values())

    def find(self, scope: str, key: str) -> Action | None:
        """What `key` does on the screen `scope`; what works everywhere is not looked up."""
        return self._by_key.get((scope, key))

    def of(self, scope: str) -> tuple[Action, ...]:
        """The actions of a screen, in the order of the table."""
        return tuple(action for action in self if action.scope == scope)

    def key(self, id_: str) -> str:
        """The first key of an action, as the screen writes it."""
        return shown(self._actions[id_].keys[0])

    def _known(self, id_: str) -> Action:
        if action := self._actions.get(id_):
            return action
        near = difflib.get_close_matches(id_, self._actions, 1, cutoff=0)
        raise KeysError(f"[keys] knows no action '{id_}'; did you mean '{near[0]}'?")

    def _claim(self, action: Action, key: str) -> None:
        everywhere = ("app", action.scope)
        scopes = {other.scope for other in self} if action.scope == "app" else everywhere
        for scope in scopes:
            other = self._by_key.get((scope, key))
            if other and not _modal(other.scope, action.scope):
                raise KeysError(
                    f"[keys] {action.id} = '{key}': that key is {other.id} already; "
                    f"choose another, or move {other.id} too"
                )
        self._by_key[action.scope, key] = action


MODAL = frozenset(
    ("call", "form", "edit", "decide", "sheet", "agents", "risk", "help", "confirm")
)  # what lies over a screen takes all keys


def _modal(one: str, other: str) -> bool:
    """Whether two scopes never have the keyboard together."""
    return one != other and bool(MODAL & {one, other})


def _keys(id_: str, text: str) -> tuple[str, ...]:
    keys = tuple(text.split())
    if not keys:
        raise KeysError(f"[keys] {id_} has no key; write one, such as '{id_} = \"x\"'")
    for key in keys:
        if not _NAMED.fullmatch(key):
            raise KeysError(
                f"[keys] {id_} = '{key}': no such key; "
                "write one character, or a name such as 'ctrl+s', 'f5', 'pagedown'"
            )
        if id_ in _DECISIONS and key in _NEVER_DECIDE:
            raise KeysError(f"[keys] {id_} = '{key}': that key never decides; choose another")
    return keys
