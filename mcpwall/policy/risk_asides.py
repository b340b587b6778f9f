"""Changes that a description tells in passing: "… and updates them", "Saved to disk". Pure.

A reading name or first verb hides them easily. A base form is more often an advice ("create a
project first"), so it counts only where the sentence itself is a command or an object stands for
what was read before. One pass per pattern over a bounded text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpwall.model import Risk
from mcpwall.policy import verbs
from mcpwall.policy.findings import Finding, worst
from mcpwall.policy.risk_grammar import first_sentence, third_person

_ADVERB = r"(?:also |automatically |immediately |optionally |then ){0,2}"
_VERB = r"(?P<verb>[a-z]{3,20})"
_OBJECT = r"(?:a|all|an|any|each|every|existing|it|its|new|that|the|their|them|this|those|your)\b"
_SAVED = re.compile(
    r"\b(?:are|be|gets?|is) (?P<verb>downloaded|saved|stored|written) (?:locally\b|"
    r"(?:as|in|into|on|to) (?:(?:a|an|the|your|local) ){0,2}"
    r"(?:directory|disk|file|filesystem|folder|path)\b)"
)
# "… Updates the index", "… and removes all drafts"
_ALSO = re.compile(
    rf"(?:[.,:;!\n] ?|\b(?:(?<!which )also|and|or|then|will) ){_ADVERB}{_VERB} {_OBJECT}"
)
# "It sends requests to the target", not "it starts at noon" or "the tags it applies"
_ITSELF = re.compile(
    rf"(?:\A|[.;:!\n(–—] ?)(?:it|this tool|the tool) {_ADVERB}{_VERB}\b"
    r"(?! (?:and|as|at|by|from|if|or|over|when|with)\b)"
)
# "Get an image and add it to the library"
_THEN = re.compile(rf"\b(?:and|or|then) {_ADVERB}{_VERB} (?:it|them)\b")
# "Compare both pages, and write a report"
_AND = re.compile(rf"(?:,|\b(?:and|then)) (?:and )?{_ADVERB}{_VERB} {_OBJECT}")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
# What is waited for was started.
_AWAITED = re.compile(
    r"\bwaits? for (?:the |its )?"
    r"(?:analysis|build|deployment|execution|job|operation|run|scan|task) "
    r"to (?:be done|complete|end|finish)\b"
)


def from_asides(text: str, *, waits: bool) -> Finding | None:
    """The worst change that a text in small letters tells in passing.

    `waits`: the tool's name says that it looks at what another tool started.
    """
    found = [
        Finding(verbs.VERBS[verb], f'its description says "{word}"', verb)
        for word, verb in _told(text)
        if verb in verbs.SIDE_EFFECTS
    ]
    if match := _SAVED.search(text):
        found.append(Finding(Risk.WRITE, f'its description says "{match["verb"]}"'))
    if not waits and (match := _AWAITED.search(text)):
        found.append(Finding(Risk.EXECUTE, f'its description says "{match[0]}"'))
    return worst(found)


def _told(text: str) -> Iterator[tuple[str, str]]:
    """Words that may tell a change, with their base forms."""
    for pattern in (_ALSO, _ITSELF):
        for match in pattern.finditer(text):
            yield match["verb"], third_person(match["verb"])
    first = first_sentence(text)
    for pattern in (_THEN, _AND) if _commands(first) else (_THEN,):
        for match in pattern.finditer(first):
            yield match["verb"], match["verb"]


def _commands(sentence: str) -> bool:
    """Whether a sentence starts with a verb in its base form."""
    word = _FIRST_WORD.search(sentence)
    return word is not None and word[0] in verbs.VERBS
