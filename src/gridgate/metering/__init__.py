"""Metering points, which organisation held each of them when, and the collection of their load curves."""
