"""Files of rows as people make them, in and out, the same for measurements and for the registry: what a file is, its
text, its sheets, what happened to an identifier in it, and how a table is written.
"""
