"""Where the `mcpwall` command starts.

`mcpwall stdio` stands in for a server that an agent starts, so its start-up time is the agent's:
it goes to the shim with nothing else imported. Everything else goes to `mcpwall.cli.main`.
"""

import sys


def main() -> int | None:
    """Run the command in `sys.argv`; the result is the process's exit code, None means 0."""
    if sys.platform == "win32":
        sys.exit("mcpwall: needs Linux or macOS, where processes can pass open files to each other")
    if sys.argv[1:2] == ["stdio"]:
        from mcpwall import shim  # noqa: PLC0415  start-up time: nothing but the shim

        return shim.main(sys.argv[2:])

    from mcpwall.cli.main import run  # noqa: PLC0415  start-up time of `mcpwall stdio`

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
