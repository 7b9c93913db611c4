"""The demo world: the same for a given date, on every run and machine."""
