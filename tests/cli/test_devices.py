"""`recents devices`: which there are, and ending one."""

from pathlib import Path

import recents
from tests.cli.terminal import AtNode


def test_devices_are_listed_and_revoked(node: AtNode, tmp_path: Path) -> None:
    dina = node.login("dina")
    assert dina("devices", "list").out == "dina: no devices\n", "this program keeps no copy"
    token = dina.as_json("account", "token", "dina")["token"]
    folder = tmp_path / "laptop"
    with recents.connect_blocking(
        node.address, account="dina", token=token, device="laptop\x1b[2J", data_dir=folder
    ) as laptop:
        (device,) = dina.as_json("devices", "list")["devices"]
        assert (device["device_id"], device["connected"]) == (laptop.device_id, True)
        shown = dina("devices", "list").out
        assert "laptop␛[2J" in shown
        assert "connected" in shown
        assert dina("devices", "revoke", laptop.device_id).out == (
            f"{laptop.device_id} is revoked\n"
        )
    unknown = dina("devices", "revoke", "nothing-like-it")
    assert unknown.code == 1
    assert "not_found" in unknown.sentence


def test_a_token_that_others_use_stays_good(node: AtNode, tmp_path: Path) -> None:
    emma = node.login("emma")
    token = emma.environment["RECENTS_TOKEN"]
    ids = []
    for name in ("laptop", "phone"):
        with recents.connect_blocking(
            node.address, account="emma", token=token, data_dir=tmp_path / name
        ) as device:
            ids.append(device.device_id)
    revoked = emma("devices", "revoke", ids[0]).out
    assert "its token stays good, since other devices or this program use it" in revoked
    answer = emma.as_json("devices", "revoke", ids[1])
    assert answer == {"device_id": ids[1], "token_shared": True}, "this program uses it"
