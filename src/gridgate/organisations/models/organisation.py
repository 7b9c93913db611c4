"""Organisation, and what the operator has recorded of it: contracts, beneficiary roles."""

from datetime import date
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from gridgate.core.roles import BeneficiaryRole
from gridgate.core.text import name_words


def _roles() -> list[str]:
    return []


class Organisation(models.Model):
    """A company: a holder of metering points, an eligible party, or the network operator itself."""

    legal_name = models.CharField(_("raison sociale"), max_length=200)
    siren = models.CharField(_("SIREN"), max_length=9, unique=True)
    is_operator = models.BooleanField(default=False)
    roles = models.JSONField(default=_roles, blank=True)
    """Codes of `BeneficiaryRole`, in the order of the enumeration."""
    email_domains = models.JSONField(default=list, blank=True)
    """Of the addresses that the company itself gives out, in lower case: only these may its directory add."""
    contact_email = models.EmailField(blank=True)
    contact_url = models.URLField(blank=True)
    created_at = models.DateTimeField()
    search_text = models.CharField(max_length=600, editable=False, default="", blank=True)
    """The words of the legal name (`name_words`): what searches look in and lists are sorted by. `save` keeps it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_operator"], condition=models.Q(is_operator=True), name="one_operator_per_instance"
            )
        ]

    def __str__(self) -> str:
        return self.legal_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_text = " ".join(name_words(self.legal_name))
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "search_text"}
        super().save(*args, **kwargs)

    @property
    def as_said(self) -> dict[str, str]:
        """The company as a person's copy of their data names it."""
        return {"name": self.legal_name, "siren": self.siren}

    @property
    def may_ask_holders(self) -> bool:
        """Whether it may ask holders for their data: a third party, or a company whose roles nobody recorded."""
        return not self.roles or BeneficiaryRole.THIRD_PARTY in self.beneficiary_roles

    @property
    def beneficiary_roles(self) -> frozenset[BeneficiaryRole]:
        return frozenset(BeneficiaryRole(code) for code in self.roles)


class Contract(models.Model):
    """An access contract between a company and the operator: without one in force, no first administrator.

    `valid_to` is the first civil day that the contract no longer covers; None while it is open.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="contracts")
    number = models.CharField(_("numéro de contrat"), max_length=40, unique=True)
    label = models.CharField(_("objet"), max_length=120, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gt=models.F("valid_from")),
                name="contract_ends_after_it_begins",
            )
        ]

    def __str__(self) -> str:
        return self.number

    def in_force_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)
