"""What this machine serves, measured: see README.md."""
