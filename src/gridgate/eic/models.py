"""EicCode, EicRequest: the local register of energy identification codes, and asking for one.

ENTSO-E, The Energy Identification Coding Scheme (EIC) Reference Manual, release 5.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from gridgate.organisations.models.organisation import Organisation
from gridgate.requests.models import OperatorRequest


class EicType(models.TextChoices):
    X = "X", _("acteur")
    Y = "Y", _("zone")
    Z = "Z", _("point de mesure")
    W = "W", _("ressource")
    T = "T", _("ligne d’interconnexion")
    V = "V", _("lieu")
    A = "A", _("poste électrique")


class EicCode(models.Model):
    """A code of the register. `valid` is False for one that another office issued and whose check character fails:
    such codes are in use, so they are told, not refused.
    """

    class Source(models.TextChoices):
        ISSUED = "issued", _("attribué ici")
        IMPORTED = "imported", _("registre d’un autre bureau")

    code = models.CharField(max_length=16, primary_key=True)
    type = models.CharField(max_length=1, choices=EicType.choices)
    display_name = models.CharField(_("nom d’affichage"), max_length=16)
    long_name = models.CharField(_("nom complet"), max_length=70)
    search_text = models.CharField(max_length=120, blank=True)
    """Code and names without accents or capitals."""
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="eic_codes"
    )
    parent = models.CharField(max_length=16, blank=True)
    responsible_party = models.CharField(max_length=16, blank=True)
    details = models.JSONField(default=dict, blank=True)
    """Answers to the configured fields of the form: see `GRIDGATE_EIC_FORM`."""
    source = models.CharField(max_length=8, choices=Source.choices)
    valid = models.BooleanField(default=True)
    active = models.BooleanField(default=True)
    issued_at = models.DateTimeField()
    deactivated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["type", "display_name"])]

    def __str__(self) -> str:
        return self.code


class EicRequest(OperatorRequest):
    """A request for a first code. Accepted, it has its `code`."""

    type = models.CharField(max_length=1, choices=EicType.choices)
    display_name = models.CharField(_("nom d’affichage"), max_length=16)
    long_name = models.CharField(_("nom complet"), max_length=70)
    parent = models.CharField(max_length=16, blank=True)
    responsible_party = models.CharField(max_length=16, blank=True)
    details = models.JSONField(default=dict, blank=True)
    justification = models.TextField(_("motif"), blank=True)
    code = models.OneToOneField(
        EicCode, on_delete=models.PROTECT, null=True, blank=True, related_name="request"
    )
