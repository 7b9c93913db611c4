"""Gridgate's own columns: one layout for CSV and Parquet, long (one value a line) or wide (one day a line).

Documented for people in `docs/1-running/ingest.md`; the names are public.
"""
