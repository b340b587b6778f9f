"""How a command says that it failed: one line for stderr, and an exit code.

The codes are part of the command line's contract: 0 done, 1 failed, 2 usage or config error,
3 no engine.
"""

FAILED = 1
USAGE = 2
NO_ENGINE = 3


class CliError(Exception):
    """A command cannot do what was asked.

    `text` says in one line what is wrong, where, and what to do. It may hold foreign text as it
    is: whoever prints it makes it visible first.
    """

    def __init__(self, text: str, exit_code: int = FAILED) -> None:
        super().__init__(text)
        self.exit_code = exit_code
