"""From what readers saw to day blocks: instants, civil days, slots, and every check that needs the whole
series."""
