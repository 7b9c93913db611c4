"""Organisation, User, Membership, and a membership's entitlements and perimeter."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class Organisation(models.Model):
    """A company: a holder of metering points, an eligible party, or the network operator itself."""

    legal_name = models.CharField(_("raison sociale"), max_length=200)
    siren = models.CharField(_("SIREN"), max_length=9, unique=True)
    is_operator = models.BooleanField(default=False)
    contact_email = models.EmailField(blank=True)
    contact_url = models.URLField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_operator"], condition=models.Q(is_operator=True), name="one_operator_per_instance"
            )
        ]

    def __str__(self) -> str:
        return self.legal_name


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Create a person; without a password they set one through the reset link."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person who signs in, for one company or for several."""

    email = models.EmailField(_("adresse e-mail"), unique=True)
    full_name = models.CharField(_("nom"), max_length=120)
    language = models.CharField(
        _("langue"), max_length=2, choices=[("fr", "Français"), ("en", "English")], default="fr"
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_whatever_its_case")]

    def __str__(self) -> str:
        return self.full_name or self.email

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        """The first name; of "Tiers 1, support" what stands before the comma."""
        before, comma, _rest = self.full_name.partition(",")
        return (before if comma else before.partition(" ")[0]) or self.email


class EntitlementCode(models.TextChoices):
    """What a member may do beyond consulting; administrators hold them all."""

    DATA_SERVICES = "data_services", _("Gestion des services de données")


class Membership(models.Model):
    """A person acting for a company: the *actor* of every query and operation.

    `restricted` memberships see only the points listed in `perimeter`; a restricted membership with an empty list
    sees none.
    """

    class Role(models.TextChoices):
        ADMINISTRATOR = "administrator", _("Administrateur")
        USER = "user", _("Utilisateur")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=13, choices=Role.choices, default=Role.USER)
    restricted = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation"],
                condition=models.Q(ended_at__isnull=True),
                name="one_present_membership_a_company",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.organisation}"

    @property
    def is_administrator(self) -> bool:
        return self.role == self.Role.ADMINISTRATOR

    def has(self, code: str) -> bool:
        """True when the member holds the entitlement; one query at most per instance."""
        if self.is_administrator:
            return True
        if not hasattr(self, "_codes"):
            self._codes = set(self.entitlements.values_list("code", flat=True))
        return code in self._codes


class Entitlement(models.Model):
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="entitlements")
    code = models.CharField(max_length=40, choices=EntitlementCode.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["membership", "code"], name="one_entitlement_of_a_kind")
        ]


class PerimeterPoint(models.Model):
    """A metering point that a restricted membership may see; named by its identifier, as points live above."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="perimeter")
    metering_point_id = models.CharField(max_length=18)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "metering_point_id"], name="one_perimeter_line_a_point"
            )
        ]
