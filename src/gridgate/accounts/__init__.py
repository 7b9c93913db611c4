"""Signing in: sessions, factors, step-up, single sign-on, one's own account and personal data."""
