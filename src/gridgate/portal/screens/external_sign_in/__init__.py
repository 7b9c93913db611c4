"""The screens around signing in with the operator's OpenID Connect provider."""
