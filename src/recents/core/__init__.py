"""The rules of the inbox as pure values and functions: no I/O, no clock, no chance.

The values are ``msgspec`` structs: they go on the wire as they are, and cost a tenth of frozen
dataclasses to make. ``gc=False`` keeps them out of the cycle collector, which they cannot need: a
value holds only older values, so no circle can close.
"""
