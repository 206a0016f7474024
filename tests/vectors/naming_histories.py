"""What rows are called and what stands for their pictures: rules I1, I2, O3, T2."""

from __future__ import annotations

from tests.vectors.steps import delete, draft, history, look, post, profile

FACES = [
    history(
        "each of two sees the name and the avatar of the other",
        "I1",
        profile("ann", "Ann", "https://example.org/ann.png"),
        profile("bob", "小波"),
        post("ann", "p2p:bob"),
        look("ann", "bob"),
    ),
    history(
        "another name of an account moves no row",
        "I1 O3",
        post("ann", "p2p:bob"),
        post("cid", "p2p:bob"),
        profile("ann", "Ann"),
        look("bob"),
    ),
    history(
        "a part that is not given stays, an empty name is none",
        "I1",
        post("ann", "p2p:bob"),
        profile("ann", "Ann", "a.png"),
        profile("ann", name=""),
        look("bob"),
        profile("ann", avatar=""),
        look("bob"),
    ),
    history(
        "notes to oneself show one's own name",
        "I1 I2",
        post("ann", "p2p:ann"),
        profile("ann", "Ann"),
        look("ann"),
    ),
    history(
        "a new name brings no deleted row back",
        "I1 D2",
        post("ann", "p2p:bob"),
        delete("bob", "p2p:ann"),
        profile("ann", "Ann"),
        look("bob"),
        post("ann", "p2p:bob"),
        look("bob"),
    ),
    history(
        "who was only thought of in a draft is seen under its new name",
        "I1 G6",
        draft("ann", "p2p:bob", "dear", at_ms=1_000),
        profile("bob", "Bob"),
        look("ann", "bob"),
    ),
]
