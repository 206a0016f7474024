"""All calls of the REST face. A new call is an entry in one of these lists, and nothing else."""

from __future__ import annotations

from recents.server.doors.rest import accounts, messages, rows, teams, webhooks
from recents.server.doors.rest.routes import Route

ROUTES: tuple[Route, ...] = (
    *accounts.ROUTES,
    *teams.ROUTES,
    *rows.ROUTES,
    *messages.ROUTES,
    *webhooks.ROUTES,
)
