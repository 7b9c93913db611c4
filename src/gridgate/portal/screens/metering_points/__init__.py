"""Vos compteurs: the metering points of a company, and each of them."""
