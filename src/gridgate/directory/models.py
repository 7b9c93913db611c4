"""DirectoryToken, DirectoryPerson, DirectoryGroup: a company's own directory manages its people (SCIM 2.0, RFC 7644)."""

import uuid

from django.db import models

from gridgate.organisations.models.memberships import Membership, UserGroup
from gridgate.organisations.models.organisation import Organisation
from gridgate.organisations.models.people import User


class DirectoryToken(models.Model):
    """A bearer token, kept as its SHA-256: it is 256 random bits, which no one can guess through a fast hash."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="directory_tokens")
    name = models.CharField(max_length=80)
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


class DirectoryPerson(models.Model):
    """A person as one company's directory knows them. Its id stays when their membership ends and another begins.

    The names are what the directory says, beside those of the account: an account is its owner's, and says nothing
    to a directory that it has not said itself.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="directory_people")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="directory_people")
    display_name = models.CharField(max_length=200, blank=True)
    formatted_name = models.CharField(max_length=200, blank=True)
    given_name = models.CharField(max_length=200, blank=True)
    family_name = models.CharField(max_length=200, blank=True)
    preferred_language = models.CharField(max_length=50, blank=True)
    created_at = models.DateTimeField()
    groups = models.ManyToManyField(UserGroup, blank=True, related_name="directory_people")
    """Those that the directory put the person in: inactive, they are in none, and active again they are back in these."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "user"], name="one_directory_entry_a_person_a_company"
            )
        ]


class DirectoryGroup(models.Model):
    """A group of users as the company's directory knows it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.OneToOneField(UserGroup, on_delete=models.CASCADE, related_name="directory_group")
