"""The ways into a node: WebSocket for devices, HTTP for everything else."""
