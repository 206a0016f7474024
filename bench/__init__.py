"""Measurements and the replay of real traffic; not part of the package."""
