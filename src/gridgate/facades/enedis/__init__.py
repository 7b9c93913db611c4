"""The Enedis Data Connect dialect (metering v5): see README.md."""

from gridgate.facades.enedis.errors import render
from gridgate.facades.enedis.routes import NAME, PREFIXES, routes

__all__ = ["NAME", "PREFIXES", "render", "routes"]
