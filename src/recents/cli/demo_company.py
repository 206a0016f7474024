"""The demo company: who works there, what they have said, what they go on saying.

Everything here is made up: people, company, orders, lunch. The lines are spoken in order; a line
of somebody the visitor plays is spoken only while the history is made.
"""

from __future__ import annotations

from dataclasses import dataclass

LABEL = "Demo company — everything here is made up"
COMPANY = "Larkspur Lamps"

PEOPLE = {
    "mina": "Mina Park, workshop lead",
    "omar": "Omar Haddad, sales",
    "zoe": "Zoë Duarte, glass",
    "jonas": "Jonas Weber, metal",
    "lin": "林小雨 (Lin Xiaoyu), electrics",
    "priya": "Priya Nair, purchasing",
    "tomas": "Tomáš Novák, storeroom",
    "sofia": "Sofía Ortega, website",
    "kofi": "Kofi Mensah, photographs",
    "yuki": "Yuki Tanaka 田中, design",
    "elena": "Elena Petrova, managing director",
    "ravi": "Ravi Shah, bookkeeping",
    "stock-bot": "Storeroom robot",
}

VISITORS = ("mina", "omar")
"""The two accounts that the visitor can log in to; nobody speaks in their name afterwards."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team; the first member owns it."""

    conversation: str
    name: str
    members: tuple[str, ...]


TEAMS = (
    Team("super_team:everyone", f"Everyone at {COMPANY} (demo)", ("elena", *PEOPLE)),
    Team("team:workshop", "Workshop 🔧", ("mina", "zoe", "jonas", "lin", "tomas", "yuki")),
    Team("team:orders", "Orders", ("omar", "mina", "priya", "tomas", "ravi", "stock-bot")),
    Team("team:website", "Website relaunch", ("sofia", "omar", "kofi", "yuki", "mina")),
    Team("team:lunch", "Lunch 🍜", ("lin", "mina", "omar", "kofi", "yuki", "ravi", "priya")),
    Team("team:party", "Summer party", ("elena", "mina", "omar", "sofia", "kofi")),
)

DISMISSED = "team:party"
"""A team that is over: its row stays, and says so."""

Talk = tuple[str, tuple[tuple[str, str], ...]]
"""Where, and who says what there; ``@`` before an account is a talk between the first speaker and
that account."""

HISTORY: tuple[Talk, ...] = (
    (
        "team:party",
        (
            ("elena", "The courtyard is ours on the 21st. Who brings lamps? (Just kidding.)"),
            ("kofi", "I bring the camera and a salad"),
            ("elena", "It was lovely. I close this team now."),
        ),
    ),
    (
        "super_team:everyone",
        (
            ("elena", "Welcome, Yuki! First day, second coffee already."),
            ("yuki", "Thank you all 😊 よろしくお願いします"),
            ("ravi", "Please hand in receipts by Friday. Yes, the coffee ones too."),
        ),
    ),
    (
        "team:website",
        (
            ("sofia", "New start page is on the test server, be kind"),
            ("kofi", "The hero picture is the wrong crop, I send another"),
            ("omar", "Customers keep asking for a page with the warranty"),
            ("sofia", "Noted for next week"),
        ),
    ),
    ("@omar", (("ravi", "Invoice 311 is still open, could you call them?"),)),
    ("@ravi", (("omar", "Called. They pay on Thursday."),)),
    (
        "team:workshop",
        (
            ("mina", "The kiln is free from two o’clock"),
            ("zoe", "I take it, twelve globes are waiting"),
            ("jonas", "Brass arms for the Heron lamp are done, first ten"),
            ("lin", "插座已经换好了 – the sockets on bench 3 are new"),
        ),
    ),
    ("@mina", (("yuki", "Sketches for the Finch lamp are on your desk"),)),
    ("@yuki", (("mina", "Looked at them at once. The small foot is beautiful!"),)),
    (
        "team:orders",
        (
            ("omar", "Hotel Miramar confirms 40 Heron lamps"),
            ("priya", "Then I order glass today"),
            ("stock-bot", "Cable, black, 3 m: 112 left"),
            ("mina", "Three weeks, if the glass comes on time"),
        ),
    ),
    ("@mina", (("elena", "Can we talk about the new bench tomorrow at ten?"),)),
    ("@elena", (("mina", "Ten is good."),)),
    ("@omar", (("mina", "Did Miramar say which green?"),)),
    ("@mina", (("omar", "Bottle green, not mint. They were firm about it."),)),
    ("@omar", (("kofi", "Photographs of the showroom are ready"),)),
    (
        "team:lunch",
        (
            ("lin", "今天吃面吗? Noodles?"),
            ("kofi", "Always"),
            ("ravi", "I stay in today, month end"),
        ),
    ),
    ("@mina", (("tomas", "Two crates came without papers. Yours?"),)),
    ("@omar", (("sofia", "Which three lamps should be on the start page?"),)),
    (
        "team:workshop",
        (
            ("zoe", "One globe cracked, eleven are perfect"),
            ("jonas", "One of twelve is a good day"),
        ),
    ),
    ("@mina", (("zoe", "May I try the blue glass again on Monday?"),)),
    ("@omar", (("priya", "Glass arrives Tuesday, not Monday"),)),
    (
        "team:website",
        (
            ("kofi", "New crop is up"),
            ("sofia", "Much better, thank you"),
        ),
    ),
    ("team:orders", (("stock-bot", "Glass globe, clear: 6 left, minimum is 20"),)),
    ("@mina", (("lin", "灯泡到了 – the bulbs are here, shall I test all of them?"),)),
)

TALKS: tuple[Talk, ...] = (
    (
        "team:lunch",
        (
            ("kofi", "Anyone for the dumpling place?"),
            ("yuki", "Me!"),
            ("lin", "我也去 🥟"),
            ("ravi", "Bring me something? I pay you back, with a receipt."),
        ),
    ),
    (
        "team:workshop",
        (
            ("jonas", "Who has the long drill?"),
            ("tomas", "It hangs in the storeroom, where it lives"),
            ("jonas", "A surprise every time"),
        ),
    ),
    ("@mina", (("tomas", "A parcel for you at the gate"), ("tomas", "It is heavy. Glass?"))),
    (
        "@omar",
        (("kofi", "Which picture for the Heron page, one or three?"), ("kofi", "I like three")),
    ),
    (
        "team:orders",
        (
            ("stock-bot", "Brass tube, 12 mm: 31 left"),
            ("priya", "Enough until the end of the month"),
        ),
    ),
    ("@priya", (("ravi", "The glass invoice has two page ones"), ("ravi", "And no page two"))),
    (
        "team:website",
        (
            ("sofia", "Deploying in five minutes"),
            ("kofi", "Fingers crossed 🤞"),
            ("sofia", "Done. Nothing burns."),
        ),
    ),
    ("@mina", (("zoe", "The blue came out of the kiln. Come and see!"),)),
    (
        "super_team:everyone",
        (
            ("elena", "Visitors from the lighting school at three, please wave"),
            ("yuki", "Waving 👋"),
        ),
    ),
    ("@omar", (("elena", "How does the quarter look? One number is enough"),)),
    (
        "team:workshop",
        (
            ("lin", "第一批测试通过了! First batch passed all tests"),
            ("zoe", "Bravo"),
            ("yuki", "🎉"),
        ),
    ),
    ("@omar", (("priya", "The glass is on the truck"), ("priya", "Truck is in a traffic jam"))),
    ("@mina", (("lin", "Bench 3 smells of solder again, that was me"),)),
    (
        "team:orders",
        (
            ("tomas", "Crates 4 to 9 are packed"),
            ("ravi", "Then I write the invoice"),
            ("tomas", "Crate 10 needs another lamp, it looks lonely"),
        ),
    ),
    ("@kofi", (("yuki", "Can you photograph the Finch in the evening light?"),)),
    ("@omar", (("sofia", "The warranty page is there. Short and friendly."),)),
    ("@mina", (("yuki", "What about a Finch with two arms?"), ("yuki", "Or three 🤔"))),
    (
        "team:lunch",
        (("priya", "There is cake in the kitchen"), ("kofi", "There was cake in the kitchen")),
    ),
)

REPLIES = (
    "Thanks, that helps!",
    "Good. I look at it right away.",
    "Let me ask Elena, I come back to you.",
    "Ha, I was about to write you the same.",
    "好的 👍",
    "Can we talk about it after lunch?",
    "Done already, have a look.",
)
"""What people answer to the visitor."""
