"""Real harm, done to a real instance in a temporary folder: `python -m drills [NAME…]`."""
