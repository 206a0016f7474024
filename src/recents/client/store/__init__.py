"""Where a device keeps its copy of the list: the port and its adapters."""
