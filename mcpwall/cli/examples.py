"""Examples at the end of each command's `--help`. Data; a test sees that every one is a command.

Loaded for help alone.
"""

from __future__ import annotations

from typing import Final

# the words behind `mcpwall` → command lines, and what each does
EXAMPLES: Final = {
    "": (
        ("mcpwall init", "route your agents' servers through the wall"),
        ("mcpwall", "open the app"),
        ("mcpwall demo", "see it with pretend agents and servers"),
    ),
    "url": (("mcpwall url git", "what to paste into an agent that takes a URL"),),
    "login": (("mcpwall login tracker", "log in at [servers.tracker], in the browser"),),
    "logout": (("mcpwall logout tracker", "end that login"),),
    "engine": (("mcpwall engine", "see in a terminal what the engine says"),),
    "stop": (("mcpwall stop", "end the engine, such as after an upgrade"),),
    "status": (
        ("mcpwall status", "what is going on now"),
        ("mcpwall status --json", "the same for a script"),
    ),
    "tools": (
        ("mcpwall tools", "every tool that was seen, and the rule that applies"),
        (
            "mcpwall tools --scan",
            "start the servers of config.toml for a moment to see their tools",
        ),
        ("mcpwall tools git --history", "what changed in git's definitions, and what was accepted"),
        ("mcpwall tools git --recommend", "rules for git's tools, to copy into config.toml"),
    ),
    "watch": (
        ("mcpwall watch", "follow along without the app"),
        ("mcpwall watch --json", "an object a line, such as for jq"),
    ),
    "init": (
        ("mcpwall init --dry-run", "what is there, and exactly what would change"),
        ("mcpwall init", "the same, and ask, file by file"),
        ("mcpwall init --agent cursor --yes", "route all of Cursor's servers"),
    ),
    "uninstall": (
        ("mcpwall uninstall --dry-run", "what would be put back"),
        ("mcpwall uninstall --agent cursor --yes", "take Cursor off the wall"),
    ),
    "doctor": (
        ("mcpwall doctor", "look at everything, and start each server for a moment"),
        ("mcpwall doctor --no-start", "start no server"),
        ("mcpwall doctor --project", "also those that this project's files name"),
        ("mcpwall doctor --json", "for a script"),
    ),
    "rules": (("mcpwall rules list", "the rules that hold in this directory"),),
    "rules list": (("mcpwall rules list --json", "an object a line, nothing cut"),),
    "rules check": (
        ("mcpwall rules check", "check your config.toml"),
        ("mcpwall rules check ./.mcpwall.toml", "check a project's file"),
    ),
    "rules test": (
        ("mcpwall rules test call.json", "what would become of this call, and why"),
        ("mcpwall rules test --config new.toml -", "by other rules, the call from stdin"),
    ),
    "import": (
        ("mcpwall import policy.json --server aws --dry-run", "what the policy would become"),
    ),
    "log": (
        ("mcpwall log 'verdict!=allow' --since 1d", "what was refused since yesterday"),
        ("mcpwall log --follow", "go on with what comes"),
    ),
    "audit": (("mcpwall audit verify", "whether the record still is what was written"),),
    "audit verify": (
        ("mcpwall audit verify --heads /mnt/backup/audit.heads", "against heads kept elsewhere"),
    ),
    "replay": (
        ("mcpwall replay", "whether the rules of then still give the verdicts of then"),
        ("mcpwall replay --config new.toml", "what other rules would have decided"),
    ),
    "completion": (
        ('eval "$(mcpwall completion bash)"', "in ~/.bashrc"),
        ("mcpwall completion zsh > ~/.zfunc/_mcpwall", "in a directory of $fpath"),
        ("mcpwall completion fish > ~/.config/fish/completions/mcpwall.fish", ""),
    ),
    "demo": (
        ("mcpwall demo", "in the app, until you close it"),
        ("mcpwall demo --fast", "without pauses"),
    ),
}


def shown(command: str) -> str:
    """The examples of a command as the end of its help; '' where there are none."""
    lines = [
        f"  {line}\n" + (f"      {what}\n" if what else "")
        for line, what in EXAMPLES.get(command, ())
    ]
    return "\nexamples:\n" + "".join(lines) if lines else ""
