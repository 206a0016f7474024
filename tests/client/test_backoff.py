"""Waiting longer and longer, never all at the same time."""

from recents.client.backoff import Backoff


def test_waits_double_up_to_the_limit() -> None:
    backoff = Backoff(0.2, 1.0, lambda: 1.0)
    assert [backoff.next_s() for _ in range(5)] == [0.2, 0.4, 0.8, 1.0, 1.0]


def test_half_of_a_wait_is_chance() -> None:
    assert Backoff(0.2, 30.0, lambda: 0.0).next_s() == 0.1


def test_what_the_node_asks_for_comes_on_top() -> None:
    assert Backoff(0.2, 30.0, lambda: 1.0).next_s(5.0) == 5.2


def test_after_a_success_the_waits_start_over() -> None:
    backoff = Backoff(0.2, 30.0, lambda: 1.0)
    backoff.next_s()
    backoff.start_over()
    assert backoff.next_s() == 0.2
