"""Application, Credential, ApiSubscription, AccessToken. The data plane reads these tables by SQL: names are law."""

from django.db import models

from gridgate.organisations.models import Organisation, UserGroup


class Application(models.Model):
    """A program that calls the APIs in its organisation's name."""

    client_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=80)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="applications")
    redirect_uri = models.URLField(blank=True)
    group = models.ForeignKey(
        UserGroup,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="applications",
    )
    """Reads within this group's perimeter of the measurements; None: on all that its organisation may read.

    A group that is deleted stays named here, and the application then reads nothing: it must not read more.
    """
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Credential(models.Model):
    """A client secret, kept as its SHA-256: secrets are 256 random bits, which no one can guess through a fast hash."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="credentials")
    secret_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


class ApiSubscription(models.Model):
    """The first of the two locks: which API an application may call at all."""

    class Api(models.TextChoices):
        NATIVE = "native"
        ENEDIS = "enedis"

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="subscriptions")
    api = models.CharField(max_length=20, choices=Api.choices)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "api"], name="one_subscription_an_api")]


class AccessToken(models.Model):
    """An opaque bearer token, kept as its SHA-256; instants are seconds since 1970 UTC, read at every request."""

    token_sha256 = models.CharField(primary_key=True, max_length=64)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="tokens")
    issued_at = models.BigIntegerField()
    expires_at = models.BigIntegerField()
    revoked_at = models.BigIntegerField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"])]
