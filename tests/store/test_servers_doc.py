"""What docs/servers.md shows is what loads."""

import re

import pytest

from mcpwall.store.config import load_text
from mcpwall.store.remotes import OAUTH
from mcpwall.store.schema import SERVER
from tests.helpers.programs import ROOT

TEXT = (ROOT / "docs" / "servers.md").read_text()
EXAMPLES = re.findall(r"```toml\n(.+?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads(example) -> None:
    assert load_text(example, "config.toml").servers


def test_every_key_of_a_server_is_explained() -> None:
    assert [key for key in (*SERVER, *OAUTH) if f"{key} = " not in TEXT] == []
