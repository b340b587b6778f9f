"""The published example with the real server that it is about: imported, enforced, in real time."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.programs import ROOT, environment, mcpwall, wall
from tests.helpers.raw_client import Json, RawClient
from tests.real.conftest import place

pytestmark = pytest.mark.real

PUBLISHED = ROOT / "tests" / "importers" / "policylayer.json"
INVOKE = {"project_directory": "/nowhere", "resource_name": "Function"}


@pytest.fixture
def client(home: Path) -> Iterator[RawClient]:
    """A session with awslabs.aws-serverless-mcp-server behind a wall that imported the policy."""
    server = place("MCPWALL_TEST_SERVERS") / "awslabs.aws-serverless-mcp-server"
    mcpwall(home, "import", str(PUBLISHED), "--server", "aws")
    with RawClient(wall("aws", str(server)), env=environment(home)) as client:
        client.open()
        yield client


def refusal(message: Json) -> Json | None:
    """The data of the wall's refusal; None for an answer of the server."""
    return message["result"].get("_meta", {}).get("mcpwall/verdict")


def served(client: RawClient) -> int:
    """How many calls the server says it got."""
    return sum(b"Locally invoking resource" in line for line in client.lines)


def test_every_other_tool_of_the_server_is_denied(client: RawClient) -> None:
    tools = client.request("tools/list")["result"]["tools"]
    others = [tool["name"] for tool in tools if tool["name"] != "sam_local_invoke"]
    assert len(others) > 20
    for name in others:
        facts = refusal(client.call(name))
        assert facts is not None
        assert (facts["action"], facts["rules"]) == ("deny", ["aws.default"])


@pytest.mark.slow
def test_ten_invocations_a_minute_reach_the_server(client: RawClient) -> None:
    answers = [client.call("sam_local_invoke", INVOKE) for _ in range(10)]
    assert [refusal(answer) for answer in answers] == [None] * 10
    eleventh = client.call("sam_local_invoke", INVOKE)
    facts = refusal(eleventh)
    assert facts is not None
    assert (facts["cause"], facts["rules"]) == ("limit", ["aws.sam_local_invoke_rate"])
    assert f"Retry after {facts['retryAfter']} s" in eleventh["result"]["content"][0]["text"]
    assert served(client) == 10
    threading.Event().wait(facts["retryAfter"])  # real time is what this test is about
    assert refusal(client.call("sam_local_invoke", INVOKE)) is None
    assert served(client) == 11
