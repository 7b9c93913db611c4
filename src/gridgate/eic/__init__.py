"""Energy identification codes: the local register, and asking for a code."""
