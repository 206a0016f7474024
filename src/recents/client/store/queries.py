"""The SQL of a device's store, which lives in ``sql/*.sql``."""

from __future__ import annotations

from functools import partial

from recents import sql_files

named_queries = partial(sql_files.named_queries, "recents.client.store")
"""Queries of a file, by name; see ``sql_files``."""

migrations = partial(sql_files.migrations, "recents.client.store")
"""Scripts from each schema to the next; see ``sql_files``."""
