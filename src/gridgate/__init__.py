"""Gridgate: see your energy data, decide who else may, and end it with one click."""

__version__ = "0.1.0"
