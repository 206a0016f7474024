"""Where a node keeps its rows: the port, its contract and its adapters."""
