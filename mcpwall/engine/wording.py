"""What an agent is told of a refused call: a sentence for the model, data for programs. Pure.

And what a person is told of a server's question, which has no tool that could be described.
"""

from __future__ import annotations

from typing import Final

from mcpwall.model import Cause, JsonObject, Verdict

# What is said of calls that found no answer, beside verdicts.
NOT_TAKEN: Final = "the server had forgotten the session and did not take it; judged as a new call"
UNSURE: Final = "a line of the server's could not be read and was dropped; it may be the answer"
LEFT_WAITING: Final = (
    "the wall was restarted while this call waited for the list of tools; it was not run, so "
    "call again"
)
DOUBT: Final = "the call may have run, so check before you repeat it"

QUESTIONS: Final = {
    "sampling/createMessage": "the agent's model would work on what the server sends here, and the "
    "server would get what it writes",
    "elicitation/create": "the agent would ask you for this, and the server would get your answer",
    "roots/list": "the server would get to know in which directories the agent works",
}


def refusal(verdict: Verdict) -> str:
    """What happened, by which rule, why, and whether to try again."""
    reason = verdict.reason
    if reason and not reason.endswith((".", "!", "?")):
        reason += "."
    match verdict.cause:
        case Cause.PERSON:
            said = f": {reason}" if reason else "."
            return f"The user denied this call in mcpwall{said} Do not retry it unless asked to."
        case Cause.UNATTENDED | Cause.FULL:
            return (
                f"mcpwall did not run this call: {reason} Ask the user to open mcpwall in a "
                "terminal and to answer there, then make exactly the same call again."
            )
        case Cause.FAULT:
            return f"mcpwall did not run this call: {reason} Tell the user."
        case Cause.LIMIT | Cause.BUDGET:
            return f"mcpwall refused this call. {reason}"  # the reason says when to retry
        case Cause.LOCKDOWN | Cause.PAUSED:
            return f"mcpwall refused this call. {reason}"
    return f"mcpwall refused this call. {reason} Do not retry it."


def left(why: str, *, went: bool) -> str:
    """What is told of a call that its session's end leaves unanswered; `went`: to its server."""
    return f"{why}; {DOUBT if went else 'the call was not run'}"


def data(verdict: Verdict, call: int) -> JsonObject:
    """The verdict as `_meta["mcpwall/verdict"]`: the same facts, for programs."""
    facts: JsonObject = {
        "action": verdict.action.value,
        "cause": verdict.cause.value,
        "rules": list(verdict.rules),
        "reason": verdict.reason,
        "call": call,
        "policy": verdict.policy,
    }
    if verdict.retry_s is not None:
        facts["retryAfter"] = verdict.retry_s
    return facts
