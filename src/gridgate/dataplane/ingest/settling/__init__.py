"""All series of a file at once, from observations to days: what `series` does for one, where nothing is amiss with it.

A series of which a value cannot be taken, or whose stamps only its own order can tell apart, is left to `settle`, which
goes through it check by check and says why. All the others, which is nearly all, are cut into days together.
"""
