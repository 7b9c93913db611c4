"""DirectoryToken: with it a company's own directory manages its people here (SCIM 2.0, RFC 7644)."""

from django.db import models

from gridgate.organisations.models.memberships import Membership
from gridgate.organisations.models.organisation import Organisation


class DirectoryToken(models.Model):
    """A bearer token, kept as its SHA-256: it is 256 random bits, which no one can guess through a fast hash."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="directory_tokens")
    name = models.CharField(max_length=80)
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
