"""The little grammar by which names and descriptions are read: base forms and sentences. Pure."""

from __future__ import annotations

from mcpwall.policy import verbs

JOINING = frozenset(("and", "or", "then"))


def base_form(word: str) -> str | None:
    """The known verb of which `word` is the base form, the third person or the -ing form."""
    forms = [word]
    if word.endswith("s"):
        forms += [word[:-1], word[:-2], f"{word[:-3]}y"]
    if word.endswith("ing"):
        forms += [word[:-3], f"{word[:-3]}e", word[:-4]]
    return next((form for form in forms if form in verbs.VERBS), None)


def third_person(word: str) -> str:
    """The known verb of "updates", "" for any other word or form."""
    return (base_form(word) or "") if word.endswith("s") else ""


def first_sentence(text: str) -> str:
    """A text up to its first full stop or line end."""
    return text.replace(".", "\n").partition("\n")[0]
