"""Public fakes for tests: clocks, whole worlds in one process, and the oracle."""
