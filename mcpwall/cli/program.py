"""Where the `mcpwall` program is that an agent can still start tomorrow."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Final

from mcpwall.cli.errors import CliError

NAME: Final = "mcpwall"
# directories of runners that install for one run, and clean up when they like
_THROW_AWAY: Final = ("/uv/archive-v", "/uv/environments-v", "/uv/builds-v", "/pipx/.cache/")


def installed() -> str:
    """The absolute path of the installed program; through a link on PATH if one leads there.

    Links such as those of pipx and `uv tool` outlive an upgrade. Raises CliError where the program
    is not installed to stay.
    """
    prefix = f"{Path(sys.prefix).as_posix()}/"
    cache = os.environ.get("UV_CACHE_DIR", "")
    if any(place in prefix for place in _THROW_AWAY) or (cache and prefix.startswith(cache)):
        raise CliError(
            "this mcpwall was installed for one run only, and agents could not start it later; "
            "install it with `uv tool install mcpwall` or `pipx install mcpwall`, then run "
            "`mcpwall init`"
        )
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    places = [Path(sysconfig.get_path("scripts", scheme)) / NAME for scheme in schemes]
    own = next((place for place in places if place.is_file()), None)
    if own is None:
        raise CliError(f"{places[0]} is not there; install mcpwall, then run `mcpwall init`")
    found = shutil.which(NAME)
    if found and Path(found).resolve() == own.resolve():
        return str(Path(found).absolute())
    return str(own)
