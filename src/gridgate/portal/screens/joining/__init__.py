"""Asking a company to act for it, and its answer."""
