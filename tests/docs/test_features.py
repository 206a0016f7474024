"""The page on features: each example runs and prints what stands below it."""

import re
from pathlib import Path

import pytest

from recents.testing import World, run

PAGE = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)
FUNCTION = re.compile(r"^async def (\w+)\(alice, bob\):", re.MULTILINE)


def name_of(code: str) -> str:
    (name,) = FUNCTION.findall(code)
    return str(name)


@pytest.mark.parametrize(("code", "said"), EXAMPLES, ids=[name_of(code) for code, _ in EXAMPLES])
def test_each_example_prints_what_it_says(
    code: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        names: dict[str, object] = {}
        exec(compile(code, "features.md", "exec"), names)
        example = names[name_of(code)]
        assert callable(example)
        async with World() as world:
            alice, bob = await world.device("alice"), await world.device("bob")
            await bob.client.messages.send("p2p:alice", "hello")
            await alice.client.messages.send("p2p:bob", "hello, bob")
            await bob.client.messages.send("p2p:alice", "how are you?")
            await world.settle()
            await example(alice.client, bob.client)
            await world.settle()

    run(work())
    assert capsys.readouterr().out == said


def test_no_program_is_left_out() -> None:
    assert PAGE.count("```python") == len(EXAMPLES)
