"""Measurements in: files of the field, read, checked, cut into civil days and given to the store.

`pipeline.ingest_files` is the way in. A format is one module of `readers/`; see `docs/3-extending/reader.md`.
"""
