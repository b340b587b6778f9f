"""What a tool can do besides its class of risk: move money, reach the net, bring in what it reads.

Read from the same words and arguments as the class (`risk`), with a sentence for each finding.
These are hints for rules over several calls: what is not found is not thereby absent. Where
nothing says how far data can go, it counts as anywhere. `openWorldHint` raises nothing: true is the
protocol's default and says too little (MCP 2025-11-25, ToolAnnotations).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Final

from mcpwall.model import JsonObject, Reach, Reads, Risk, Traits
from mcpwall.policy import verbs
from mcpwall.policy.findings import quoted, words_of
from mcpwall.policy.risk_name import about_money
from mcpwall.policy.risk_schema import arguments_of

TEXT_MAX: Final = 2_000  # characters of a description that are looked at


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Arguments that say where to go, or to whom.
_ADDRESSES: Final = verbs.ADDRESSES | _words(
    "callback_url host hostname href link links site website webhook webhook_url"
)
_RECIPIENTS: Final = _words("bcc cc email emails phone phone_number recipient recipients to_email")
# What is sent, or put where others read it: `send_mail`, `create_issue`, `add_comment`.
_SENDING: Final = _words(
    "broadcast email forward invite invites mail notify post publish push reply send share sms"
    " submit tweet upload"
)
_READ_BY_OTHERS: Final = _words(
    "comment comments discussion email emails gist issue issues mail message messages post posts"
    " release review thread ticket tweet"
)
_RUNNING: Final = _words(
    "bash cmd command eval evaluate exec execute python repl run script shell ssh terminal workflow"
)
_BROWSING: Final = _words(
    "browse browser crawl internet navigate online scrape web webpage website"
)
# Arguments that name a file here, unless one beside them names a place elsewhere.
_FILES: Final = _words(
    "cwd destination dir directory file file_path filename filepath path paths repo_path root"
)
_ELSEWHERE: Final = _words(
    "account branch bucket drive org organization owner project project_id ref region repo"
    " repository site_id space tenant workspace"
)
_SECRETS: Final = _words(
    "apikey apikeys cred credential credentials creds dotenv env envs keychain kubeconfig password"
    " passwords secret secrets token tokens vault"
)
_SECRET_PAIRS: Final = frozenset(
    [
        ("access", "key"),
        ("api", "key"),
        ("connection", "string"),
        ("private", "key"),
        ("ssh", "key"),
    ]
)
_STRANGERS: Final = _words(
    "chat comment comments conversation conversations discussion discussions email emails feed"
    " feeds forum inbox issue issues mail mails message messages news page pages post"
    " posts replies review reviews rss thread threads ticket tickets transcript tweet tweets"
)
_STRANGE_PAIRS: Final = frozenset(
    [("channel", "history"), ("merge", "request"), ("pull", "request")]
)
_KEYS: Final = (
    r"api keys?|connection strings?|credentials|jwts?|kubeconfigs?|private keys?"
    r"|(?:access|auth|authentication|bearer|deploy|jwt|refresh|session|trigger) tokens?"
)
# "Lists all passwords of a team"
_SECRET_TOLD: Final = re.compile(
    r"\b(?:dump|export|fetch|get|list|print|read|retrieve|return|reveal|show)(?:s|es)? "
    rf"(?:[a-z]{{1,12}} ){{0,4}}(?P<what>{_KEYS}|environment variables?|passwords?"
    r"|secret values?|secrets?)\b"
)
# "Issues a short-lived access token"
_SECRET_MADE: Final = re.compile(
    r"\b(?:create|generate|issue|mint|obtain|rotate)s? "
    rf"(?:[a-z-]{{1,12}} ){{0,3}}(?P<what>{_KEYS})\b"
)
# A vault of notes keeps no secrets.
_NOTES: Final = re.compile(r"\b(?:markdown|notes?|obsidian)\b")
_WEB_TEXT: Final = re.compile(
    r"\b(?:from the (?:internet|web)|search(?:es|ing)? the (?:internet|web)|search engine"
    r"|web ?pages?|web search)\b"
)


def traits_of(
    name: str,
    description: str,
    input_schema: JsonObject,
    annotations: JsonObject,
    risk: Risk,
    *,
    trusted: bool = False,
) -> Traits:
    """The traits of a tool whose class is `risk`. Never raises, whatever the input; bounded work.

    `trusted`: the person believes the hints of this server, so they may lower the reach.
    """
    words = list(itertools.takewhile(lambda word: word != "by", words_of(name)))
    arguments = {"_".join(words_of(key)): key for key, _ in arguments_of(input_schema)}
    text = description[:TEXT_MAX].lower()
    money = _money(words, risk)
    reach, far = _reach(words, text, arguments, risk)
    hints = annotations if isinstance(annotations, dict) else {}
    if trusted and reach is Reach.NET and hints.get("openWorldHint") is False:
        reach, far = Reach.SERVICE, "its server, whose hints you trust, says that it goes nowhere"
    found = {
        Reads.SECRETS: _secrets(words, text, risk),
        Reads.UNTRUSTED: _untrusted(words, text, arguments, risk),
    }
    reads = tuple(what for what, why in found.items() if why)
    return Traits(bool(money), reach, reads, tuple(w for w in (money, far, *found.values()) if w))


def _money(words: Sequence[str], risk: Risk) -> str:
    if risk is Risk.FINANCIAL:
        return "it moves money or commits to paying"
    if risk is not Risk.READ and (about := about_money(words)):
        return f"it changes something that is about {quoted(about)}"
    return ""


def _reach(
    words: Sequence[str], text: str, arguments: dict[str, str], risk: Risk
) -> tuple[Reach, str]:
    """How far what the tool is given can go, and why if that is not the service alone."""
    if address := _first(arguments, _ADDRESSES):
        return Reach.NET, f"data can leave in its argument {quoted(address)}"
    parts = {*words, *(part for name in arguments for part in name.split("_"))}
    if risk is Risk.EXECUTE and (_RUNNING | verbs.CODE) & parts:
        return Reach.NET, "what it runs can reach any address"
    if browsing := _BROWSING.intersection(words):
        return Reach.NET, f'data can leave for the web: its name says "{min(browsing)}"'
    if _WEB_TEXT.search(text):
        return Reach.NET, "data can leave for the web: so its description says"
    if risk is Risk.UNKNOWN:
        return Reach.NET, "nothing says where what it is given goes"
    if risk is not Risk.READ:
        if to := _first(arguments, _RECIPIENTS):
            return Reach.NET, f"it can send to anybody, by its argument {quoted(to)}"
        if others := _said(words, _SENDING | _READ_BY_OTHERS, _STRANGE_PAIRS):
            return Reach.NET, f'others can read what it sends: its name says "{others}"'
    if (file := _first(arguments, _FILES)) and not _ELSEWHERE & arguments.keys():
        return Reach.LOCAL, f"it works on files of this machine ({quoted(file)})"
    return Reach.SERVICE, ""


def _secrets(words: Sequence[str], text: str, risk: Risk) -> str:
    """Why what it gives back may hold secrets; what only destroys gives nothing back."""
    if risk is Risk.DESTRUCTIVE:
        return ""
    known = _SECRETS - {"vault"} if _NOTES.search(text) else _SECRETS
    if said := _said(words, known, _SECRET_PAIRS):
        return f'what it returns may hold secrets: its name says "{said}"'
    if found := _SECRET_TOLD.search(text) or _SECRET_MADE.search(text):
        return f'what it returns may hold secrets: its description says "{found["what"]}"'
    return ""


def _untrusted(words: Sequence[str], text: str, arguments: dict[str, str], risk: Risk) -> str:
    """Why what it gives back may be text of strangers; what changes things mostly tells of that."""
    if browsing := _BROWSING.intersection(words):
        return f'it brings in text from strangers: its name says "{min(browsing)}"'
    if risk not in (Risk.READ, Risk.UNKNOWN):
        return ""
    if said := _said(words, _STRANGERS, _STRANGE_PAIRS):
        return f'it brings in text from strangers: its name says "{said}"'
    if address := _first(arguments, _ADDRESSES):
        return f"it brings in text from strangers, by its argument {quoted(address)}"
    if _WEB_TEXT.search(text):
        return "it brings in text from strangers: its description speaks of the web"
    return ""


def _said(words: Sequence[str], known: frozenset[str], pairs: frozenset[tuple[str, str]]) -> str:
    """The word of a name that is known, or the known two that follow one another; "" for none."""
    if said := known.intersection(words):
        return min(said)
    singular = [word.removesuffix("s") for word in words]
    found = pairs.intersection(zip(words, singular[1:], strict=False))
    return " ".join(min(found)) if found else ""


def _first(arguments: dict[str, str], known: Iterable[str]) -> str:
    """The argument as its server calls it, "" where there is none of these."""
    return next((arguments[name] for name in sorted(known) if name in arguments), "")
