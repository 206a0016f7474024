"""`recents account`: accounts and tokens."""

import re
from pathlib import Path

from recents.cli.admin_key import VARIABLE
from tests.cli.terminal import AtNode, Place


def test_add_prints_what_to_paste(node: AtNode) -> None:
    done = node.here("account", "add", "pasted", "--name", "Pasted P.", "--label", "laptop")
    assert done.code == 0
    assert "export RECENTS_ACCOUNT=pasted" in done.out
    token = re.search(r"export RECENTS_TOKEN=(\S+)", done.out)
    assert token
    assert f"export RECENTS_NODE={node.address}" in done.out
    assert done.out.splitlines()[-1].endswith("recents watch")
    assert node.login_with("pasted", token[1])("list").out == "pasted: no conversations\n"


def test_add_again_says_how_to_get_another_token(node: AtNode) -> None:
    node.login("twice")
    done = node.here("account", "add", "twice")
    assert done.code == 1
    assert "`recents account token twice`" in done.sentence
    another = node.here.as_json("account", "token", "twice")
    assert node.login_with("twice", another["token"])("list").code == 0


def test_a_name_that_cannot_be(node: AtNode) -> None:
    done = node.here("account", "add", "a b")
    assert done.code == 1
    assert "printable ASCII" in done.sentence


def test_list_and_rename(node: AtNode) -> None:
    node.login("renamed", "--name", "Before")
    assert node.here("account", "rename", "renamed", "小雨 [bold]\x1b[2J").code == 0
    listed = node.here("account", "list")
    line = next(line for line in listed.out.splitlines() if line.startswith("renamed"))
    assert "小雨 [bold]␛[2J" in line
    accounts = node.here.as_json("account", "list")["accounts"]
    assert {"account", "name", "created_ms"} == set(accounts[0])
    assert [one["name"] for one in accounts if one["account"] == "renamed"] == [
        "小雨 [bold]\x1b[2J"
    ]


def test_revoke_one_of_two_tokens(node: AtNode) -> None:
    here = node.here
    first = here.as_json("account", "add", "lost", "--label", "phone")
    second = here.as_json("account", "token", "lost", "--label", "laptop")
    assert (
        "lost: 1 token revoked"
        in here("account", "revoke", "lost", "--token-id", first["token_id"]).out
    )
    tokens = here.as_json("account", "list", "lost")["tokens"]
    assert [(one["label"], one["revoked_ms"] is None) for one in tokens] == [
        ("phone", False),
        ("laptop", True),
    ]
    assert "valid" in here("account", "list", "lost").out
    done = node.login_with("lost", first["token"])("list")
    assert done.code == 4
    assert "revoked" in done.sentence
    assert node.login_with("lost", second["token"])("list").code == 0
    assert here.as_json("account", "revoke", "lost") == {"account": "lost", "revoked": 1}
    assert "no token was valid" in here("account", "revoke", "lost").out


def test_an_account_that_is_not_there(node: AtNode) -> None:
    done = node.here("account", "revoke", "nobody/../x")
    assert done.code == 1
    assert "there is no account 'nobody/../x'" in done.sentence


def test_without_a_node_the_node_is_what_is_missing(nowhere: Place) -> None:
    done = nowhere("account", "add", "alice")
    assert done.code == 3
    assert done.sentence == (
        "no node answers at http://127.0.0.1:1: start one with `recents serve`"
    )


def test_without_a_key(node: AtNode, tmp_path: Path) -> None:
    elsewhere = Place(tmp_path, node.here.environment)
    done = elsewhere("account", "list")
    assert done.code == 4
    assert "--admin-key-file" in done.sentence
    assert VARIABLE in done.sentence


def test_with_a_key_of_another_node(node: AtNode) -> None:
    done = node.here.with_environment(**{VARIABLE: "wrong"})("account", "list")
    assert done.code == 4
    assert f"does not accept the admin key from {VARIABLE}" in done.sentence


def test_a_key_that_others_can_read(node: AtNode, tmp_path: Path) -> None:
    copy = tmp_path / "key"
    copy.write_bytes(node.store.with_name("recents.db.admin-key").read_bytes())
    copy.chmod(0o644)
    done = node.here("account", "list", "--admin-key-file", str(copy))
    assert done.code == 0
    assert "chmod 600" in done.sentence
