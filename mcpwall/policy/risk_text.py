"""What a description says that a tool does: its first verbs, and side effects told later on. Pure.

Only the start of a description is looked at, in one pass per pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpwall.model import Risk
from mcpwall.policy import verbs
from mcpwall.policy.findings import Finding, worst

START_MAX = 400  # characters in which the first verbs stand
TEXT_MAX = 4000  # characters in which side effects are looked for
_WORD = re.compile(r"[^\W\d_]+")
_WORD_OR_COMMA = re.compile(r"[^\W\d_]+|,")
_JOINING = frozenset(("and", "or", "then"))
_SAVED = re.compile(
    r"\b(?:are|be|gets?|is) (?P<verb>downloaded|saved|written) (?:as|in|into|on|to) "
    r"(?:(?:a|an|the|your|local) ){0,2}(?:directory|disk|file|filesystem|folder|path)\b"
)
_ALSO = re.compile(
    r"(?:[.,:;!\n] ?|\b(?:also|and|or|then|will) )(?:also |automatically |then ){0,2}"
    r"(?P<verb>[a-z]{3,20}) "
    r"(?:a|all|an|any|each|every|existing|it|its|new|that|the|their|them|this|those|your)\b"
)
_READ_ONLY = re.compile(
    r"(?<!not )(?<!not a )\bread[- ]?only (?:[a-z]{1,20} )?"
    r"(?:quer(?:y|ies)|select|sql|statements?)\b"
)
_THEN = re.compile(r"\b(?:and|or|then) (?P<verb>[a-z]{3,20}) (?:it|them)\b")


def from_description(text: str, named: Finding | None) -> Finding | None:
    """What a description says; `named` is what the tool's name said, which weighs more."""
    leading = list(_leading_verbs(text[:START_MAX]))
    if named is not None:  # a clear name is only overruled by a clear verb
        leading = [(word, verb) for word, verb in leading if verb not in verbs.WEAK]
    found: list[Finding | None] = [
        Finding(verbs.VERBS[verb], f'its description starts with "{word}"', verb)
        for word, verb in leading
    ]
    if not found and named is None:
        found.append(_told_thing(text[:START_MAX]))
    if any(found) or named is not None:
        found.append(_side_effect(text[:TEXT_MAX].lower()))
    return worst(found)


def speaks_of_sql(text: str) -> bool:
    """Whether the start of a description has the word SQL."""
    return "SQL" in _WORD_OR_COMMA.findall(text[:START_MAX])


def promises_reading(text: str) -> bool:
    """Whether the start of a description says that its queries are read-only."""
    return _READ_ONLY.search(text[:START_MAX].lower()) is not None


def _leading_verbs(text: str) -> Iterator[tuple[str, str]]:
    """The first verb of a text and those joined to it by commas, and, or."""
    expected = True  # a verb may stand here
    started = False
    before = ""
    for match in _WORD_OR_COMMA.finditer(text):
        word, small = match.group(), match.group().lower()
        if word == "," or small in _JOINING:
            expected = True
        elif len(word) > 1 and word.isupper():  # headings such as "IMPORTANT" or "START HERE"
            continue
        elif not started and small in verbs.FILLER:
            pass
        elif expected and (verb := _base_form(small)) and not _is_noun(verb, before):
            yield word, verb
            started, expected = True, False
        else:
            return
        before = small


def _told_thing(text: str) -> Finding | None:
    """What a text without a verb is about: "Map meta data", "Provides statistics on …"."""
    head = ""
    for word in _WORD.findall(_first_sentence(text.lower())):
        if word in verbs.PREPOSITIONS:
            break
        if word in verbs.VERBS and word not in verbs.NOUNS and verbs.VERBS[word] is not Risk.READ:
            return None
        head = word
    if head not in verbs.TOLD:
        return None
    return Finding(Risk.READ, f'its description is about "{head}"')


def _first_sentence(text: str) -> str:
    return text.replace(".", "\n").partition("\n")[0]


def _is_noun(verb: str, before: str) -> bool:
    """Whether a word that may be a noun is one: in "provides comments", "the log of"."""
    return verb in verbs.NOUNS and before in verbs.BEFORE_NOUNS


def _base_form(word: str) -> str | None:
    """The verb of which `word` is the base form, the third person or the -ing form."""
    forms = [word]
    if word.endswith("s"):
        forms += [word[:-1], word[:-2], f"{word[:-3]}y"]
    if word.endswith("ing"):
        forms += [word[:-3], f"{word[:-3]}e", word[:-4]]
    return next((form for form in forms if form in verbs.VERBS), None)


def _side_effect(text: str) -> Finding | None:
    """A change that is told in passing: "… and updates them", "The report is saved to disk"."""
    said = [(match["verb"], _third_person(match["verb"])) for match in _ALSO.finditer(text)]
    # "Get an image and add it to the library"
    said += [(match["verb"], match["verb"]) for match in _THEN.finditer(_first_sentence(text))]
    found = [
        Finding(verbs.VERBS[verb], f'its description says "{word}"', verb)
        for word, verb in said
        if verb in verbs.SIDE_EFFECTS
    ]
    if match := _SAVED.search(text):
        found.append(Finding(Risk.WRITE, f'its description says "{match["verb"]}"'))
    return worst(found)


def _third_person(word: str) -> str:
    """The verb of "updates"; a base form is more often an advice: "create a project first"."""
    return (_base_form(word) or "") if word.endswith("s") else ""
