"""`gridgate export`: measurements out, to standard output."""
