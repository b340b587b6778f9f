"""What docs/servers.md shows is what loads."""

import re

import pytest

from mcpwall.store.config import load_text
from tests.helpers.programs import ROOT

TEXT = (ROOT / "docs" / "servers.md").read_text()
EXAMPLES = re.findall(r"```toml\n(.+?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads(example) -> None:
    assert load_text(example, "config.toml").servers
