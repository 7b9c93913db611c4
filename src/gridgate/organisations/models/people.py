"""User, Membership: a person, and a company they act for."""

import secrets

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Create a person; without a password they set one through the reset link."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


def new_key_handle() -> str:
    return secrets.token_urlsafe(32)


class User(AbstractBaseUser):
    """A person who signs in: for no company, for one, or for several."""

    email = models.EmailField(_("adresse e-mail"), unique=True)
    full_name = models.CharField(_("nom"), max_length=120)
    language = models.CharField(
        _("langue"), max_length=2, choices=[("fr", "Français"), ("en", "English")], default="fr"
    )
    time_zone = models.CharField(_("fuseau horaire"), max_length=40, blank=True)
    """A name such as `Europe/Paris`; empty for the network's own. Civil days of measurements stay the network's."""
    tell_of_sign_ins = models.BooleanField(
        _("m’avertir d’une connexion depuis un nouvel appareil"), default=True
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)
    session_round = models.PositiveIntegerField(default=0)
    """Of which round the person's sessions are: those of a former one are over, be they listed anywhere or not."""

    key_handle = models.CharField(max_length=43, unique=True, editable=False, default=new_key_handle)
    """Whose a security key says that it is (WebAuthn, §14.6.1): drawn at random, since whoever holds the key reads it."""

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_whatever_its_case")]

    def __str__(self) -> str:
        return self.full_name or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # The round stands beside the password that Django ties sessions to, so that both end them alike.
        salt = "gridgate.organisations.session"
        said = f"{self.session_round}:{self.password}"
        return salted_hmac(salt, said, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        """The first name; of "Tiers 1, support" what stands before the comma."""
        before, comma, _rest = self.full_name.partition(",")
        return (before if comma else before.partition(" ")[0]) or self.email


class SignIn(models.Model):
    """One sign-in: what the notice to the person, and their own export, say of it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True, blank=True)
    device = models.CharField(max_length=200, blank=True)
    device_sha256 = models.CharField(max_length=64, blank=True)
    """Of the cookie that names the device; a hash that the person never had before is a new device."""
    method = models.CharField(max_length=20)
    """`password`, `totp`, `recovery_codes`, `webauthn`, `openid`."""

    class Meta:
        indexes = [models.Index(fields=["user", "-at"])]
