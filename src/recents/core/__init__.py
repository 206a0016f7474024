"""The rules of the inbox as pure values and functions: no I/O, no clock, no chance."""
