"""What every test shares: how hard Hypothesis tries, no event loop outside a test, no user data.

Deadlines are off in all profiles: a slow machine is not a wrong program. `HYPOTHESIS_PROFILE`
names the profile: `default` looks at new examples each time, `ci` at the same ones, so that a
failure can be had again; `thorough` is for a long search by hand.
"""

import asyncio
import atexit
import os
import shutil
import tempfile

from hypothesis import settings

pytest_plugins = ["recents.testing.pytest_plugin"]

settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.register_profile(
    "thorough", parent=settings.get_profile("default"), max_examples=4_000, stateful_step_count=100
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# Before a plain test, looptime's plugin asks asyncio for the current loop. Unless one was ever
# set, asyncio makes one that nobody closes, and its ResourceWarning fails whatever test happens
# to run when it is collected. Having said "none" makes the question harmless.
asyncio.set_event_loop(None)

# A client that is not told where to keep its copy keeps it with the user's data; in tests, and in
# the programs that they start, that is a folder of theirs.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="recents-tests-")
atexit.register(shutil.rmtree, os.environ["XDG_DATA_HOME"], ignore_errors=True)
