"""The operator's own screens: the registry in figures, imports of points and holders, what waits."""
