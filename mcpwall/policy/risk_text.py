"""What a description says that a tool does: its first verbs, or the thing that it is about. Pure.

Only the start of a description is looked at, in one pass per pattern; changes that it tells in
passing are in `risk_asides`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mcpwall.model import Risk
from mcpwall.policy import verbs
from mcpwall.policy.findings import Finding, worst
from mcpwall.policy.risk_asides import from_asides
from mcpwall.policy.risk_grammar import JOINING, base_form, first_sentence

START_MAX = 400  # characters in which the first verbs stand
TEXT_MAX = 4000  # characters in which side effects are looked for
_WORD = re.compile(r"[^\W\d_]+")
_WORD_OR_JOINER = re.compile(r"[^\W\d_]+|[,/|&]")
_JOINERS = JOINING | frozenset(",/|&")
# "[Beta] Gets …", "(For teams) Gets …"
_TAG = re.compile(r"\A\s*(?:\[[^\]\n]{1,80}\]|\([^)\n]{1,80}\))")
# "Start here.", "Call this first:" tell the model when, not what the tool does.
_ADVICE = re.compile(
    r"\A\W*(?:always |please )?(?:begin|call|invoke|run|start|use)(?: this| it)?(?: tool)? "
    r"(?:first|here)\b",
    re.IGNORECASE,
)
# "Read-only" is no verb, but a claim.
_CLAIM = re.compile(r"\bread[- ]only\b", re.IGNORECASE)
_READ_ONLY = re.compile(
    r"(?<!not )(?<!not a )\bread[- ]?only (?:[a-z]{1,20} )?"
    r"(?:quer(?:y|ies)|select|sql|statements?)\b|只读 ?(?:sql|查询)"
)
_SELECT = re.compile(r"\bselect[- ]only\b|\bselect (?:quer(?:y|ies)|statements?)\b|\bsql select\b")
_CHANGING_SQL = re.compile(r"\b(?:alter|create|ddl|delete|dml|drop|insert|update|write)")
_HARMLESS = re.compile(
    r"(?:\A|[.;:!\n] ?)read[- ]?only\b(?! (?:by|if|mode|unless|when)\b)"
    r"|\b(?:call|it|operation|this|tool) is (?:a )?read[- ]?only\b"
    r"|\bno side[- ]effects\b|\bside[- ]effects: none\b"
)


def from_description(text: str, words: Sequence[str], named: Finding | None) -> Finding | None:
    """What a description says; `named` is what the `words` of the name said, which weighs more."""
    leading = list(_leading_verbs(text[:START_MAX]))
    if named is not None:  # a clear name is only overruled by a clear verb
        leading = [(word, verb) for word, verb in leading if verb not in verbs.WEAK]
    found: list[Finding | None] = [
        Finding(verbs.VERBS[verb], f'its description starts with "{word}"', verb)
        for word, verb in leading
    ]
    if not found and named is None:
        found.append(_told_thing(text[:START_MAX], words) or _harmless(text[:START_MAX]))
    if any(found) or named is not None:
        waits = named is not None and named.verb in verbs.WAITS
        found.append(from_asides(text[:TEXT_MAX].lower(), waits=waits))
    return worst(found)


def starts_reading(text: str) -> bool:
    """Whether a description starts with verbs that plainly read, and with no others."""
    leading = [verb for _, verb in _leading_verbs(text[:START_MAX])]
    return bool(leading) and verbs.PLAIN.issuperset(leading)


def speaks_of_sql(text: str) -> bool:
    """Whether the start of a description has the word SQL."""
    return "SQL" in _WORD_OR_JOINER.findall(text[:START_MAX])


def promises_reading(text: str) -> bool:
    """Whether the start of a description says that its queries are read-only."""
    start = text[:START_MAX].lower()
    if _READ_ONLY.search(start):
        return True
    return _SELECT.search(start) is not None and not _CHANGING_SQL.search(start)


def _leading_verbs(text: str) -> Iterator[tuple[str, str]]:
    """The first verb of a text and those joined to it by and, or, commas, slashes."""
    expected = True  # a verb may stand here
    started = False
    before = ""
    text = _CLAIM.sub("", _ADVICE.sub("", _TAG.sub("", text)))
    for match in _WORD_OR_JOINER.finditer(text):
        word, small = match.group(), match.group().lower()
        if small in _JOINERS:
            expected = True
        elif len(word) > 1 and word.isupper():  # headings such as "IMPORTANT" or "START HERE"
            continue
        elif _is_adverb(small) or (not started and small in verbs.FILLER):
            pass
        elif (
            expected
            and (verb := base_form(small))
            and not _is_noun(verb, before, text[match.end() :])
        ):
            yield word, verb
            started, expected = True, False
        else:
            return
        before = small


def _told_thing(text: str, words: Sequence[str]) -> Finding | None:
    """What a text without a verb is about: "Map meta data", "Provides statistics on …".

    A text that only repeats the name may start with an unknown verb, as it: "Debayer data".
    """
    told: list[str] = []
    for word in _WORD.findall(first_sentence(text.lower())):
        if word in verbs.PREPOSITIONS:
            break
        if word in verbs.VERBS and word not in verbs.NOUNS and verbs.VERBS[word] is not Risk.READ:
            return None
        told.append(word)
    if not told or told[-1] not in verbs.TOLD or told == list(words[-len(told) :]):
        return None
    return Finding(Risk.READ, f'its description is about "{told[-1]}"')


def _harmless(text: str) -> Finding | None:
    """What a text without a verb claims: "Read-only. …", "No side effects."."""
    if not _HARMLESS.search(text.lower()):
        return None
    return Finding(Risk.READ, "its description says that it only reads")


def _is_adverb(word: str) -> bool:
    """Whether a word only says how: "Permanently deletes"."""
    return word.endswith("ly") and word not in verbs.VERBS and word not in verbs.NO_ADVERBS


def _is_noun(verb: str, before: str, after: str) -> bool:
    """Whether a word that may be a noun is one: in "provides comments", "replies for a post"."""
    if verbs.VERBS[verb] is not Risk.READ and after.startswith((" for ", " of ")):
        return True
    return verb in verbs.NOUNS and before in verbs.BEFORE_NOUNS
