"""`python -m recents.cli` is `recents`."""

from recents.cli import main

main()
