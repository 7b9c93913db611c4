"""The access log's way from the segments on disk into the registry and back onto the screens, and its signatures.

Put together here because the two halves do not know each other: `dataplane.accesslog` has the files,
`audit` the tables.
"""
