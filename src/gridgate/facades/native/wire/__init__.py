"""The native API on the wire: parameters in, JSON and CSV out. Pure: no HTTP, no SQL, no clock.

Times are UTC. Values come in columns, qualities as run lengths; what is not in an answer stands in its
`coverage`, with the reason.
"""
