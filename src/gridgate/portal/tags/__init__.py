"""The tags and filters of every template, one library a subject: all are built in, no template loads them.

The recipe is docs/3-extending/screen.md.
"""
