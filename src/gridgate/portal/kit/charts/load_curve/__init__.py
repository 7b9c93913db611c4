"""The load curve, from the values it is given to what its component draws."""
