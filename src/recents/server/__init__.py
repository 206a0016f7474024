"""A node: the order of steps between its doors, the core and its store."""
