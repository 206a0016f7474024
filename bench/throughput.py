"""Durable sends to another device: how many, and how fast."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from bench.load import Login, Measured
from bench.own_node import OwnNode
from bench.processes import load, make_logins, plan_for, toy
from bench.report import Figure, at_least, at_most

DEVICES = 1_000
RATE = 2_000.0
"""Messages per second at which latency is measured: busy, far from full."""


async def measure_throughput(folder: Path, quick: bool) -> list[Figure]:
    """Post as fast as it goes over 1,000 connections, node and toy in turn."""
    rounds, seconds = (1, 4.0) if quick else (3, 8.0)
    node_rates, toy_rates = [], []
    async with OwnNode(folder / "node.db") as node:
        logins = await make_logins(node, DEVICES)
        for _ in range(rounds):
            node_rates.append(await _rate(node.address, logins, seconds))
            async with toy(folder) as address:
                toy_rates.append(await _rate(address, logins, seconds))
    ratios = [mine / bare for mine, bare in zip(node_rates, toy_rates, strict=True)]
    return [
        at_least("durable send → other device, 1,000 connections", median(node_rates), 15e3, "/s"),
        Figure("the bare toy beside it", f"{median(toy_rates):,.0f} /s"),
        at_least("share of the toy", median(ratios), 0.5, ""),
    ]


async def measure_latency(folder: Path, quick: bool) -> list[Figure]:
    """Post 2,000 messages a second over 1,000 connections."""
    rounds, seconds = (1, 4.0) if quick else (3, 10.0)
    found: list[Measured] = []
    bare: list[Measured] = []
    async with OwnNode(folder / "node.db") as node:
        logins = await make_logins(node, DEVICES)
        for _ in range(rounds):
            found.append(await load(plan_for(node.address, logins, seconds, RATE)))
            async with toy(folder) as address:
                bare.append(await load(plan_for(address, logins, seconds, RATE)))
    return [
        at_most("send → acknowledged at 2,000/s, p50", _mid(found, "answer", 0), 5, "ms"),
        at_most("send → acknowledged at 2,000/s, p99", _mid(found, "answer", 2), 25, "ms"),
        at_most("send → row on the other device, p99", _mid(found, "arrival", 2), 40, "ms"),
        Figure(
            "the bare toy: acknowledged p50 / p99",
            f"{_mid(bare, 'answer', 0):.2f} / {_mid(bare, 'answer', 2):.2f} ms",
        ),
    ]


async def _rate(address: str, logins: list[Login], seconds: float) -> float:
    measured = await load(plan_for(address, logins, seconds, None))
    if measured.refused or measured.arrived < measured.answered:
        raise RuntimeError(f"the load was not carried out as it should: {measured}")
    return measured.per_second


def _mid(found: list[Measured], which: str, part: int) -> float:
    return median((one.answer_ms if which == "answer" else one.arrival_ms)[part] for one in found)
