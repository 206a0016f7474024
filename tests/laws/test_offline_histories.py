"""Laws 1–5 over random histories of devices that are offline, crash and lose messages.

Three accounts with five devices and two teams; every command there is. The laws are in
``history.py`` (convergence, and a lonely device), ``person.py`` (intention) and ``follower.py``
(no flicker, Zulip's law). Many more histories: ``make laws``.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.laws.history import DEVICES, VERBS, Step, made_up, play

STEP = st.builds(
    Step,
    st.sampled_from([verb for verb, weight in VERBS.items() for _ in range(weight)]),
    st.integers(0, len(DEVICES) - 1),
    st.integers(0, 4),
    st.integers(0, 7),
    st.integers(0, 7),
)
SEEDS = 400


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(steps=st.lists(STEP, max_size=40), seed=st.integers(0, 99), rough=st.booleans())
def test_the_laws_hold(steps: list[Step], seed: int, rough: bool) -> None:
    play(steps, seed=seed, rough=rough)


@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS // 4))
def test_the_laws_hold_for_these_seeds(first: int) -> None:
    for seed in range(first, first + SEEDS // 4):
        play(made_up(seed, 30), seed=seed, rough=seed % 2 == 1)
