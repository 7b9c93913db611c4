"""One read of one point: what is asked for, what may be read, what is missing and why, and what the log says of it."""
