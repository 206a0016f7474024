"""How the SDK reaches a node: the port and its adapters."""
