"""SecurityPolicy, StepUpCode, LostFactor: what the operator asks beyond a password, the codes sent by e-mail, and the
way back in for somebody who lost every second factor.
"""

from datetime import datetime
from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _

from gridgate.organisations.models.memberships import Membership
from gridgate.organisations.models.people import User


class SensitiveAct(models.TextChoices):
    """What may ask for a one-time code first; the operator chooses which do."""

    REVOKE_ALL = "revoke_all", _("Résilier une entreprise")
    REQUEST = "request", _("Envoyer une demande au gestionnaire de réseau")
    CERTIFICATES = "certificates", _("Demander ou supprimer une clé numérique")
    RIGHTS = "rights", _("Nommer un administrateur")
    FACTORS = "factors", _("Retirer les seconds facteurs d’une personne")
    POLICY = "policy", _("Changer les règles de sécurité ou publier des conditions générales")
    ACCOUNT = "account", _("Supprimer son compte")


def _default_acts() -> list[str]:
    return list(SensitiveAct.values)


class SecurityPolicy(models.Model):
    """The operator's choice, one row an instance."""

    strong_for_operator = models.BooleanField(_("personnel du gestionnaire de réseau"), default=False)
    strong_for_administrators = models.BooleanField(_("administrateurs des entreprises"), default=False)
    strong_for_users = models.BooleanField(_("utilisateurs des entreprises"), default=False)
    step_up_acts = models.JSONField(default=_default_acts)
    """Codes of `SensitiveAct`."""
    provider_issuer = models.CharField(max_length=200, blank=True, default="")
    """The OpenID Connect provider whose second factors count by what follows; those of another do not."""
    provider_acr = models.JSONField(default=list, blank=True)
    """Values of the ID token's `acr` by which it says that it checked one."""
    provider_amr = models.JSONField(default=list, blank=True)
    """Members of its `amr` that say so."""
    provider_minutes = models.PositiveIntegerField(null=True, blank=True)
    """How long ago, by its `auth_time`, the person may have signed in there; None: it does not matter."""
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_security_policy")]


class AttemptCount(models.Model):
    """How often one thing was tried lately (`security/pace.py`). A table of its own: a cache drops what is in it when it
    is full, and with it what stands in the way of further guesses.
    """

    key = models.CharField(max_length=64, primary_key=True)
    """A keyed hash of what is counted together."""
    count = models.FloatField()
    at = models.DateTimeField(db_index=True)
    """When it was tried last."""


class StepUpCode(models.Model):
    """A one-time code on its way. The code itself is worked out from the secret key and this row, never stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="step_up_codes")
    nonce = models.CharField(max_length=32)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)


class LostFactorState(StrEnum):
    """Worked out from the instants of the row, never stored."""

    WAITING = "waiting"
    """The person may still object, and nobody can confirm yet."""
    TO_CONFIRM = "to_confirm"
    EXPIRED = "expired"
    OBJECTED = "objected"
    CANCELLED = "cancelled"
    DONE = "done"


class LostFactor(models.Model):
    """That a clerk of the operator checked who a person is who lost every second factor, and what came of it."""

    class How(models.TextChoices):
        """How the person was known to be who they say."""

        CALLED_BACK = "called_back", _("Rappel à un numéro déjà connu")
        IN_PERSON = "in_person", _("En personne, pièce d’identité vue")
        BY_VIDEO = "by_video", _("En vidéo, pièce d’identité vue")
        BY_LETTER = "by_letter", _("Courrier signé de l’entreprise")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="lost_factors")
    how = models.CharField(max_length=16, choices=How.choices)
    note = models.CharField(max_length=300)
    """What was seen or heard, for whoever confirms."""
    checked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    confirmable_at = models.DateTimeField()
    """Until then the person can only object."""
    expires_at = models.DateTimeField()
    objected_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(objected_at=None, cancelled_at=None, done_at=None),
                name="one_open_lost_factor",
            )
        ]

    def state(self, now: datetime) -> LostFactorState:
        if self.done_at is not None:
            return LostFactorState.DONE
        if self.objected_at is not None:
            return LostFactorState.OBJECTED
        if self.cancelled_at is not None:
            return LostFactorState.CANCELLED
        if now >= self.expires_at:
            return LostFactorState.EXPIRED
        return LostFactorState.WAITING if now < self.confirmable_at else LostFactorState.TO_CONFIRM


class Favourite(models.Model):
    """A page of the portal that a person keeps at hand."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="favourites")
    membership = models.ForeignKey(
        "organisations.Membership", on_delete=models.CASCADE, null=True, blank=True, related_name="favourites"
    )
    """The company that the page was seen for; None for a page that no company is needed for."""
    path = models.CharField(max_length=200)
    label = models.CharField(max_length=120)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "membership", "path"], name="one_favourite_a_page"),
            models.UniqueConstraint(
                fields=["user", "path"],
                condition=models.Q(membership__isnull=True),
                name="one_favourite_a_page_of_nobody",
            ),
        ]
