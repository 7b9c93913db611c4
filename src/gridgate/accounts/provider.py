"""The OpenID Connect provider that the operator has chosen, if any."""

from django.conf import settings


def provider_name() -> str:
    """What the provider is called; empty when the operator has chosen none."""
    return str(settings.ENVIRONMENT.oidc_name) if settings.ENVIRONMENT.oidc_issuer else ""
