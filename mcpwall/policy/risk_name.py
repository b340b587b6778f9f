"""What the words of an identifier say: a tool's name, or a choice such as `delete_all`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mcpwall.model import Risk
from mcpwall.policy import verbs
from mcpwall.policy.findings import Finding, worst
from mcpwall.policy.risk_grammar import JOINING


def from_name(words: list[str]) -> Finding | None:
    """What a name says that consists of these words, None where it says nothing.

    The first verb decides, and those joined to it by and/or. A name is also read backwards where
    the object comes first: `search_index_delete`.
    """
    words = _without_tail(words)
    if not words:
        return None
    last = words[-1]
    if _only_tells(words):
        return _said(last, Risk.READ)._replace(sure=any(map(_surely_reads, words[:-1])))
    acting = [i for i in range(len(words)) if _is_verb(words, i)]
    certain = [
        i
        for i in acting
        if words[i] not in verbs.NOUNS or (i == 0 and words[i] in verbs.COMMANDS and len(words) > 1)
    ]
    if not certain and (agent := _agent_noun(last)):
        return _said(last, verbs.VERBS[agent])._replace(sure=False)
    lead = next((i for i in certain or acting if _counts(words, i, certain)), None)
    if lead is None:
        return None
    joined = [i for i in acting if _joined(words, i, lead)]
    if words[lead] in verbs.OBJECTS and certain and certain[-1] == len(words) - 1:
        joined.append(certain[-1])
    found = worst(_verb(words, i) for i in [lead, *joined])
    reads = [i for i in acting if i != lead and verbs.VERBS[words[i]] is Risk.READ]
    may_be_noun = words[lead] in verbs.NOUNS and (lead > 0 or bool(reads))
    sure = not may_be_noun and not any(i < lead for i in reads)
    return found and found._replace(sure=sure)


def _is_verb(words: list[str], i: int) -> bool:
    """Whether the word at `i` is a known verb, and no part of `pull_request`."""
    around = words[max(0, i - 1) : i + 2]
    return words[i] in verbs.VERBS and verbs.COMPOUNDS.isdisjoint(pairwise(around))


def _without_tail(words: list[str]) -> list[str]:
    """The words without what says nothing at the end: `get_usage_v2`, `UsageTool`."""
    end = len(words)
    while end > 1 and (words[end - 1].isdigit() or words[end - 1] in verbs.TAILS):
        end -= 1
    return words[:end]


def about_money(words: Sequence[str]) -> str:
    """The word by which a name is about money: `create_invoice`, not `topic_subscription`."""
    before = ["", *words]
    return next(
        (
            w
            for w, b in zip(words, before, strict=False)
            if w in verbs.MONEY and b not in verbs.FREE
        ),
        "",
    )


def _counts(words: list[str], i: int, certain: list[int]) -> bool:
    """Whether the verb at `i` is one here, if it may be a noun.

    It is at the start and in front of something: `tag_resource`, not `play_comment`. At the end few
    are: `wiki_lint`.
    """
    return i in certain or i == 0 or i < len(words) - 1 or words[i] in verbs.ENDS


def _joined(words: list[str], i: int, lead: int) -> bool:
    """Whether the verb at `i` does something beside the first: `open_and_read`, `find_replace`."""
    if i < lead:
        return words[i + 1] in JOINING
    return i > lead and (words[i - 1] in JOINING or (i == lead + 1 and words[i] in verbs.SECOND))


def _verb(words: list[str], i: int) -> Finding:
    """What one verb of a name says, with the particle and the object that it has."""
    word, after = words[i], words[i + 1 :]
    if after and after[-1] in verbs.READING_OBJECTS.get(word, ()):
        return _said(word, Risk.READ)
    if after and after[0] in verbs.CHANGING_PARTICLES.get(word, ()):
        return _said(f"{word} {after[0]}", Risk.WRITE)
    return _said(word, verbs.VERBS[word])


def _said(word: str, risk: Risk) -> Finding:
    return Finding(risk, f'its name says "{word}"', word)


def _only_tells(words: list[str]) -> bool:
    """Whether a name ends in what can only be read: `sam_logs`, but not `clear_history`."""
    return words[-1] in verbs.READING_NOUNS and all(
        word not in verbs.VERBS
        or verbs.VERBS[word] is Risk.READ
        or (word in verbs.RUNS and words[-1] in verbs.RECORDS)
        for word in words[:-1]
    )


def _surely_reads(word: str) -> bool:
    return verbs.VERBS.get(word) is Risk.READ and word not in verbs.NOUNS


def _agent_noun(word: str) -> str | None:
    """The verb in `reader`, `updater` or `calculator`."""
    if not word.endswith(("er", "or")) or word in verbs.NO_AGENTS:
        return None
    stems = (word[:-1], word[:-2], f"{word[:-2]}e")
    return next((stem for stem in stems if stem in verbs.VERBS), None)
