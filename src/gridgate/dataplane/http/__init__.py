"""The data plane over HTTP: the application that the façades' routes live in."""
