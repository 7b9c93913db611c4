"""Signing in as the account library asks it of us: whom to let in, which steps follow, the operator's own provider."""
