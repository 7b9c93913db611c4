"""The native API, version 1, and the token endpoint for its clients: see README.md."""

from gridgate.facades.native.errors import render
from gridgate.facades.native.reasons import NAME
from gridgate.facades.native.routes import PREFIXES, routes

__all__ = ["NAME", "PREFIXES", "render", "routes"]
