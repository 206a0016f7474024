"""The blocking face: the same names, and nobody hangs."""

import asyncio
import gc
import inspect
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from recents.client.blocking import BlockingClient, connect_blocking
from recents.client.blocking_faces import (
    BlockingDevices,
    BlockingMessages,
    BlockingProfiles,
    BlockingTeams,
)
from recents.client.blocking_inbox import BlockingInbox
from recents.client.blocking_view import BlockingLiveView
from recents.client.changes import ChangeBatch
from recents.client.client import Client
from recents.client.devices import Devices
from recents.client.inbox import Inbox
from recents.client.live_view import LiveView
from recents.client.messages import Messages
from recents.client.opening import connect
from recents.client.profiles import Profiles
from recents.client.settings import Settings
from recents.client.teams import Teams
from recents.core.errors import CallerMistake, Code, Refused, Unavailable
from recents.wire.frames import Device, DeviceFrame, Posted
from recents.wire.frames import Devices as DevicesFound
from tests.client.fake_node import FakeNode, Reply, changed, first_page, make_client, row

PATIENCE_S = 20.0
"""Seconds. What is waited for comes at once, or never."""

TWINS: list[tuple[type, type]] = [
    (Client, BlockingClient),
    (Inbox, BlockingInbox),
    (Messages, BlockingMessages),
    (Teams, BlockingTeams),
    (Devices, BlockingDevices),
    (LiveView, BlockingLiveView),
    (Profiles, BlockingProfiles),
]

WAITING = {"changes", "watch"}
"""Iterations: blocking ones may end after some time without anything new."""

FOR_THE_CLIENT = {"put", "end", "take_now"}
"""Called by the client alone."""

OWN_WORDS = {"changes", "on_change", "on_message", "on_status"}
"""Where threads make a difference that has to be said."""


@pytest.fixture
def me(node: FakeNode) -> Iterator[BlockingClient]:
    node.greets = [[first_page(row("bob", unread=1))]]
    with BlockingClient(make_client(node)) as client:
        assert client.synced(PATIENCE_S)
        yield client


def public(face: type) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(face).items()
        if not name.startswith("_")
        and name not in FOR_THE_CLIENT
        and (callable(value) or isinstance(value, property))
    }


# The same names.


@pytest.mark.parametrize(("original", "twin"), TWINS)
def test_every_call_has_its_twin(original: type, twin: type) -> None:
    ours, theirs = public(twin), public(original)
    # What is set when a client opens is looked up when it is asked for.
    assert ours.keys() - {"device_id"} == theirs.keys()
    for name, method in theirs.items():
        if isinstance(method, property):
            assert isinstance(ours[name], property), name
        else:
            assert not inspect.iscoroutinefunction(ours[name]), name


@pytest.mark.parametrize(("original", "twin"), [*TWINS, (connect, connect_blocking)])
def test_twins_take_the_same_and_say_the_same(original: Any, twin: Any) -> None:  # noqa: ANN401  # classes and a function
    if not inspect.isclass(original):
        assert signature(original) == signature(twin)
        return
    for name, method in public(original).items():
        ours = public(twin)[name]
        assert first_line(ours) == first_line(method) or name in WAITING, name
        if isinstance(method, property):
            continue
        if name in WAITING:
            more = {one for one in signature(ours) if one[0] != "timeout_s"}
            assert more == set(signature(method)), name
            continue
        assert signature(ours) == signature(method), name
        result = inspect.signature(ours).return_annotation
        assert result == inspect.signature(method).return_annotation, name
        if name not in OWN_WORDS:
            assert inspect.getdoc(ours) == inspect.getdoc(method), name


def signature(function: Callable[..., object]) -> list[tuple[object, ...]]:
    return [
        (one.name, one.kind, one.default, one.annotation)
        for one in inspect.signature(function).parameters.values()
    ]


def bound(function: Callable[..., object], values: dict[str, Any]) -> inspect.BoundArguments:
    """Bind every argument by its name, one where there may be several."""
    signature = inspect.signature(function)
    some = signature.bind_partial()
    for name, parameter in signature.parameters.items():
        if name not in values:
            continue
        match parameter.kind:
            case inspect.Parameter.VAR_POSITIONAL:
                some.arguments[name] = (values[name],)
            case inspect.Parameter.VAR_KEYWORD:
                some.arguments[name] = {f"some {name}": values[name]}
            case _:
                some.arguments[name] = values[name]
    return some


def first_line(documented: object) -> str:
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def test_every_call_arrives_as_it_was_made(node: FakeNode, me: BlockingClient) -> None:
    """All of them, with every argument: what the twin asks of the node is what we ask."""
    asked: list[tuple[str, Any, Any]] = []

    def noting(name: str) -> Callable[..., Any]:
        async def note(*args: object, **kwargs: object) -> str:
            asked.append((name, args, kwargs))
            return f"what {name} returns"

        return note

    faces = [(me.inbox, "_inbox"), (me.messages, "_messages"), (me.teams, "_teams")]
    for face, inner in [
        *faces,
        (me.devices, "_devices"),
        (me.profiles, "_profiles"),
        (me, "_client"),
    ]:
        original = getattr(face, inner)
        for name, method in public(type(original)).items():
            if not inspect.iscoroutinefunction(method) or name in {"open", "close"}:
                continue
            expected = inspect.signature(method)
            values: dict[str, Any] = {
                one: f"the {one}" for one in expected.parameters if one != "self"
            }
            setattr(original, name, noting(name))
            given = bound(getattr(face, name), values)
            try:
                result = getattr(face, name)(*given.args, **given.kwargs)
            finally:
                delattr(original, name)
            assert result in {f"what {name} returns", None}
            last, args, kwargs = asked[-1]
            assert last == name
            arrived = expected.bind(None, *args, **kwargs).arguments
            assert {one: arrived[one] for one in values} == {
                one: given.arguments[one] for one in values
            }
    assert len(asked) > 30


# What comes of a call.


def test_from_the_list_to_the_end(node: FakeNode) -> None:
    node.greets = [[first_page(row("bob", unread=1))]]
    device = Device(device_id="d1", created_ms=1, seen_ms=2, this=True)

    def answers(request: DeviceFrame) -> Reply:
        if type(request).__name__ == "MyDevices":
            return DevicesFound(devices=(device,))
        return Posted(seq=2, ordinal=2, time_ms=7) if type(request).__name__ == "Post" else None

    node.answers = answers
    client = BlockingClient(make_client(node))
    assert (client.device_id, client.account, client.state) == ("", "alice", "offline")
    with client as me:
        assert me is client
        assert me.synced(PATIENCE_S)
        assert [one.conversation for one in me.inbox.list().entries] == ["p2p:bob"]
        assert me.messages.send("p2p:bob", "hello").status == "sent"
        me.inbox.mark_read("p2p:bob")
        assert me.devices.list() == (device,)
        assert me.flush(PATIENCE_S)
        assert (me.device_id, me.unsent, me.trouble, me.set_aside) == ("d1", 0, None, ())
        assert repr(me) == "<recents.BlockingClient alice synced>"
    assert me.state == "offline"
    me.close()


def test_errors_are_raised_as_they_are(node: FakeNode, me: BlockingClient) -> None:
    node.answers = lambda request: Refused(Code.NOT_A_MEMBER, "no", {"a": 1})
    with pytest.raises(Refused, match="no") as refused:
        me.messages.send("team:t", "hi")
    assert (refused.value.code, refused.value.details) == (Code.NOT_A_MEMBER, {"a": 1})
    with pytest.raises(CallerMistake):
        me.inbox.mark_read("bob")
    with pytest.raises(CallerMistake, match="plain function"):
        me.inbox.on_change(asyncio.sleep)  # type: ignore[arg-type]  # the mistake


def test_a_client_that_cannot_open_leaves_no_thread(node: FakeNode) -> None:
    before = threading.active_count()
    node.refuses = [Unavailable("nobody there")] * 1_000
    client = BlockingClient(make_client(node, Settings(open_timeout_s=0.05)))
    with pytest.raises(Unavailable, match="nobody there"), client:
        pass
    assert threading.active_count() == before
    with pytest.raises(CallerMistake, match="opened before"):
        client.open()


def test_without_opening_nothing_can_be_asked(node: FakeNode) -> None:
    client = BlockingClient(make_client(node))
    with pytest.raises(Unavailable, match="client is not open"):
        client.inbox.list()
    client.close()
    with client:
        with pytest.raises(CallerMistake, match="opened before"):
            client.open()
        assert client.inbox.list().complete
    with pytest.raises(Unavailable):
        client.inbox.list()


# Threads.


def test_listeners_are_called_on_the_clients_thread(node: FakeNode, me: BlockingClient) -> None:
    told: list[tuple[str, ChangeBatch, Exception]] = []
    heard = threading.Event()

    def listener(batch: ChangeBatch) -> None:
        try:
            me.inbox.list()
        except CallerMistake as mistake:
            told.append((threading.current_thread().name, batch, mistake))
        heard.set()

    remove = me.inbox.on_change(listener)
    say(node, me, changed(row("bob", 2, unread=2)))
    assert heard.wait(PATIENCE_S)
    ((name, batch, mistake),) = told
    assert name == "recents alice" != threading.current_thread().name
    assert batch.totals.unread == 2
    assert "cannot wait for itself" in str(mistake)
    remove()
    remove()
    say(node, me, changed(row("bob", 3, unread=3)))
    assert len(told) == 1


def test_a_listener_cannot_end_the_thread_that_everybody_waits_for(me: BlockingClient) -> None:
    me.inbox.on_change(lambda _: sys.exit("bye"))
    me.inbox.set_draft("p2p:bob", "hello")
    assert me.unsent == 0
    assert me.state == "synced"


def test_a_listener_may_begin_and_end_listening(node: FakeNode, me: BlockingClient) -> None:
    heard = threading.Event()

    def listener(batch: ChangeBatch) -> None:
        remove()
        me.on_state(lambda _: None)()
        assert me.unsent == 0
        heard.set()

    remove = me.inbox.on_change(listener)
    say(node, me, changed(row("bob", 2, unread=2)))
    assert heard.wait(PATIENCE_S)


def test_changes_one_after_the_other(node: FakeNode, me: BlockingClient) -> None:
    feed = me.inbox.changes(timeout_s=0.01)
    assert list(feed) == [], "it ends when nothing comes"
    say(node, me, changed(row("bob", 2, unread=2)))
    assert [batch.totals.unread for batch in feed] == [2], "and goes on when asked again"
    endless = me.inbox.changes()
    with ThreadPoolExecutor(1) as pool:
        consumed = pool.submit(list, endless)
        say(node, me, changed(row("bob", 3, unread=3)))
        say(node, me, changed(row("bob", 4, unread=4)))
        me._own.do(lambda: None)
        me.close()
        batches = consumed.result(PATIENCE_S)
    assert batches[-1].totals.unread == 4


def test_from_several_threads_at_once(node: FakeNode, me: BlockingClient) -> None:
    def work(number: int) -> int:
        me.inbox.mark_read("p2p:bob")
        return len(me.inbox.list().entries)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(200))) == [1] * 200


def test_in_a_thread_that_runs_a_loop_such_as_a_notebooks(node: FakeNode) -> None:
    node.greets = [[first_page(row("bob", unread=1))]]

    async def cell() -> int:
        with BlockingClient(make_client(node)) as me:
            return me.inbox.totals().unread

    assert asyncio.run(cell()) in {0, 1}


def test_who_waits_is_let_go_when_another_thread_closes(
    node: FakeNode, me: BlockingClient
) -> None:
    node.answers = None
    with ThreadPoolExecutor(3) as pool:
        question = pool.submit(me.teams.mine)
        waiting = pool.submit(me.flush)
        feed = pool.submit(list, me.inbox.changes())
        until(node, me, "MyTeams")
        me.close()
        with pytest.raises(Unavailable):
            question.result(PATIENCE_S)
        assert waiting.result(PATIENCE_S)
        assert feed.result(PATIENCE_S) == []


# Ends.


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    # Whoever is started in the background by a shell ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_the_waiting_and_nothing_else(node: FakeNode, me: BlockingClient) -> None:
    node.answers = None

    def interrupt() -> None:
        until(node, me, "Post")
        os.kill(os.getpid(), signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        me.messages.send("p2p:bob", "still on its way")
    interrupting.join()
    assert me.unsent == 1
    (entry,) = me.inbox.list().entries
    assert entry.preview is not None
    assert entry.preview.text == "still on its way"
    me.close()


def test_one_that_was_forgotten_is_closed(node: FakeNode) -> None:
    before = threading.active_count()
    client: BlockingClient | None = BlockingClient(make_client(node))
    assert client is not None
    client.open()
    inbox: BlockingInbox | None = client.inbox
    client = None
    gc.collect()
    assert inbox is not None
    assert inbox.list().entries == (), "somebody still has a part of it"
    parts = [inbox]
    inbox = None
    with pytest.warns(ResourceWarning, match="recents alice was not closed"):
        parts.clear()
    assert threading.active_count() == before
    assert node.connection.closed


PROGRAM = """
import asyncio, os, sys, threading
from recents.client.blocking import BlockingClient
from recents.client.settings import Settings
from recents.core.errors import Unavailable
from tests.client.fake_node import FakeNode, make_client
node = FakeNode()
"""


def run(program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "default", "-c", PROGRAM + program],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_forgotten_one_is_closed_when_the_interpreter_ends() -> None:
    done = run("""
me = BlockingClient(make_client(node, Settings(closing_s=0.1)))
me.open()
me.on_state(lambda state: os.write(1, state.encode() + b"\\n"))
me.synced()
node.answers = None
def send():
    try:
        me.messages.send("p2p:bob", "hello")
    except Unavailable as error:
        os.write(1, b"let go\\n")
threading.Thread(target=send, daemon=True).start()
""")
    assert done.returncode == 0, done.stderr
    assert "offline" in done.stdout
    assert "Traceback" not in done.stderr


def test_after_a_fork_it_says_what_to_do() -> None:
    done = run("""
me = BlockingClient(make_client(node))
me.open()
pid = os.fork()
if pid == 0:
    try:
        me.inbox.list()
    except Unavailable as error:
        print(error)
    me.close()
    with BlockingClient(make_client(FakeNode())) as mine:
        print("my own:", mine.inbox.list().complete)
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
me.close()
""")
    assert done.returncode == 0, done.stderr
    assert "forked from: call recents.connect_blocking here as well" in done.stdout
    assert "my own: True" in done.stdout


def say(node: FakeNode, me: BlockingClient, *frames: Any) -> None:  # noqa: ANN401  # node frames
    """Let the node speak, and return when the client has heard it."""
    heard = threading.Event()
    remove = me.inbox.on_change(lambda _: heard.set())
    me._own.do(lambda: node.connection.say(*frames))
    assert heard.wait(PATIENCE_S)
    remove()


def until(node: FakeNode, me: BlockingClient, kind: str) -> None:
    """Return when the node was asked something of this kind."""

    async def heard() -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not any(type(one).__name__ == kind for one in node.connection.heard):  # noqa: ASYNC110  # there is no event for it
                await asyncio.sleep(0.001)

    me._own.call(heard)


# Live views.


def test_a_live_view_goes_on_for_ever_or_for_some_time(node: FakeNode, me: BlockingClient) -> None:
    with me.inbox.watch(unread_only=True, timeout_s=0.05) as view:
        assert [one.conversation for one in view.entries] == ["p2p:bob"]
        assert list(view) == [], "nothing happens"
        heard: list[int] = []
        with me.inbox.watch(limit=1) as other:
            remove = other.on_change(lambda change: heard.append(change.totals.unread))
            node.connection.say(changed(row("carol", 2, at=9_000, unread=4)))
            change = next(view)
            remove()
        assert [type(step).__name__ for step in change.steps] == ["Insert"]
        assert (view.totals.unread, heard) == (5, [5])
    assert list(view) == []
    unlimited = me.inbox.watch()
    unlimited.open()
    threading.Timer(0.05, me.close).start()
    assert list(unlimited) == []
    unlimited.close()
