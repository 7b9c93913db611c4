"""Visualiser vos mesures: one metering point, one quantity, one period."""
