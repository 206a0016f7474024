"""REST under ``/v1``: one table of routes, from which the router and the OpenAPI page are made."""
