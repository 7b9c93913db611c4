"""SecurityPolicy, StepUpCode: what the operator asks beyond a password, and the codes sent by e-mail."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from gridgate.organisations.models.people import User


class SensitiveAct(models.TextChoices):
    """What may ask for a one-time code first; the operator chooses which do."""

    REVOKE_ALL = "revoke_all", _("Résilier une entreprise")
    REQUEST = "request", _("Envoyer une demande au gestionnaire de réseau")
    CERTIFICATES = "certificates", _("Demander ou supprimer une clé numérique")
    RIGHTS = "rights", _("Nommer un administrateur")
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
