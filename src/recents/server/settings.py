"""What an operator can set, with units, defaults, reasons and bounds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits and beats of a node.

    Attributes:
        batch_commands: commands that share one commit at most. Beyond some hundred the cost of a
            commit is spread thin enough, and the first of the batch waits for the last.
        queued_commands: commands that wait for a commit; more are refused as ``overloaded``.
        unanswered_requests: requests of one device that are under way; the node reads no further
            from that device until one is answered.
        greeting_timeout_s: seconds within which a device has to say hello.
        devices_per_account: devices of one account that are remembered; with more, those that were
            seen longest ago are forgotten. A person has a handful; the rest is programs that
            make a new device id with each start, and those must not fill the store.
        devices_stored_s: seconds for which it is gathered which devices came and went, before it
            is stored in one go; a node that dies forgets so much of it.
        heartbeat_s: seconds of silence after which a device is pinged; silent for half as long
            again, it is gone.
        backlog_bytes: bytes that may wait to be sent to one device before it counts as slow; its
            changes are then kept as a set of conversations until it has drained. Of its answers
            as many bytes are kept; with more, the node reads no further from it.
        deflate_bytes: messages from this size on are deflated for devices that take it. Below some
            KB deflating saves less than a packet, and small messages are the many.
        first_page_rows: rows that a first start gets at once, with totals.
        rows_per_frame: rows in one frame, so that no frame grows without bound.
        catch_ups_at_once: devices that catch up at the same time; bounds memory when all
            devices come back at once.
        flush_slice: devices written to before other work gets its turn.
        recent_messages: newest messages per conversation kept for devices that fall behind.
        page_limit: rows, messages or members that one request can ask for.
        remembered_days: days for which it is remembered what became of a command, so that a device
            that asks again gets the answer from then (C4). A device that was away for longer may
            have applied twice what it had asked just before; each command takes about 150 bytes.
        team_members: members of one team. T3 asks for 100,000. Soft: additions that are under
            way at the same moment may pass it by one command each.
        system_account: in whose name the application server's system messages are sent; made with
            the first of them.
        idempotency_keys: keys of calls that are remembered with their answers, for a day; beyond
            that the oldest are forgotten. Each takes about 400 bytes. Commands stay applied once
            all the same (``remembered_days``).
        webhook_deliveries: deliveries of one webhook that are under way at a time.
        webhook_timeout_s: seconds for which a receiver may take to answer.
        webhook_failing_days: days after which a webhook that does not get on is disabled.
        webhooks_public_only: deliver to public addresses only, so that whoever may make webhooks
            cannot reach into the network of the node. Off: receivers are often beside the node.
        recall_ms: milliseconds within which a message of one's own can be recalled; None: for
            ever. A team's owner is free of it. Who has read a message for longer than two minutes
            has read it.
        edit_ms: milliseconds within which a message can be edited; None: for ever.
    """

    batch_commands: int = 512
    queued_commands: int = 20_000
    unanswered_requests: int = 256
    greeting_timeout_s: float = 10.0
    devices_per_account: int = 256
    devices_stored_s: float = 5.0
    heartbeat_s: float = 25.0
    backlog_bytes: int = 32 * 1024
    deflate_bytes: int = 4 * 1024
    first_page_rows: int = 50
    rows_per_frame: int = 500
    catch_ups_at_once: int = 8
    flush_slice: int = 256
    recent_messages: int = 50
    page_limit: int = 1_000
    remembered_days: int = 14
    team_members: int = 100_000
    system_account: str = "system"
    idempotency_keys: int = 100_000
    webhook_deliveries: int = 8
    webhook_timeout_s: float = 15.0
    webhook_failing_days: int = 5
    webhooks_public_only: bool = False
    recall_ms: int | None = 120_000
    edit_ms: int | None = None
