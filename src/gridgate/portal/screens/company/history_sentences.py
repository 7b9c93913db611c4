"""What the history says: a sentence for every action, and who did it. To add an action: a line in `SENTENCES`."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.audit.models import AuditEvent
from gridgate.portal.kit import formats

SENTENCES: dict[str, Any] = {
    "member.added": gettext_lazy("%(subject)s agit désormais pour l’entreprise"),
    "member.changed": gettext_lazy("Rôle ou statut de %(subject)s modifié"),
    "member.detached": gettext_lazy("%(subject)s n’agit plus pour l’entreprise"),
    "invitation.sent": gettext_lazy("Invitation envoyée à %(subject)s"),
    "invitation.resent": gettext_lazy("Invitation de %(subject)s renouvelée"),
    "invitation.expired": gettext_lazy("Invitation de %(subject)s expirée"),
    "invitation.cancelled": gettext_lazy("Invitation de %(subject)s annulée"),
    "invitation.accepted": gettext_lazy("Invitation acceptée par %(subject)s"),
    "first_administrator.declared": gettext_lazy("Premier administrateur déclaré"),
    "member.asked_in": gettext_lazy("%(subject)s demande à agir pour l’entreprise"),
    "member.asked_in_withdrawn": gettext_lazy("%(subject)s retire sa demande d’agir pour l’entreprise"),
    "member.asked_in_refused": gettext_lazy("Demande de %(subject)s d’agir pour l’entreprise refusée"),
    "member.let_in": gettext_lazy("Demande de %(subject)s d’agir pour l’entreprise acceptée"),
    "member.described": gettext_lazy("Fiche de %(subject)s modifiée par l’annuaire"),
    "account.opened": gettext_lazy("Compte de %(subject)s ouvert par un fournisseur d’identité"),
    "account.linked": gettext_lazy("Compte de %(subject)s lié à un fournisseur d’identité"),
    "account.unlinked": gettext_lazy("Compte de %(subject)s délié d’un fournisseur d’identité"),
    "account.deleted": gettext_lazy("Compte de %(subject)s supprimé"),
    "account.factors_forgotten": gettext_lazy("Moyens de double authentification de %(subject)s retirés"),
    "account.identity_checked": gettext_lazy(
        "Identité de %(subject)s vérifiée par le gestionnaire de réseau, après la perte de ses seconds facteurs"
    ),
    "account.identity_confirmed": gettext_lazy("Retrait des seconds facteurs de %(subject)s confirmé"),
    "account.identity_check_cancelled": gettext_lazy("Vérification de l’identité de %(subject)s annulée"),
    "account.identity_check_objected": gettext_lazy(
        "%(subject)s s’oppose au retrait de ses seconds facteurs"
    ),
    "group.created": gettext_lazy("Groupe « %(subject)s » créé"),
    "group.described": gettext_lazy("Groupe « %(subject)s » identifié par l’annuaire"),
    "group.renamed": gettext_lazy("Groupe « %(subject)s » renommé"),
    "group.deleted": gettext_lazy("Groupe « %(subject)s » supprimé"),
    "group.members_changed": gettext_lazy("Membres du groupe « %(subject)s » modifiés"),
    "group.service_given": gettext_lazy("Service donné au groupe « %(subject)s »"),
    "group.service_dated": gettext_lazy("Dates d’un service du groupe « %(subject)s » modifiées"),
    "group.place_dated": gettext_lazy("Dates d’un membre du groupe « %(subject)s » modifiées"),
    "group.service_withdrawn": gettext_lazy("Service retiré au groupe « %(subject)s »"),
    "application.created": gettext_lazy("Programme « %(subject)s » créé par le gestionnaire de réseau"),
    "application.group_changed": gettext_lazy("Périmètre du programme « %(subject)s » modifié"),
    "group.perimeter_changed": gettext_lazy("Périmètre du groupe « %(subject)s » modifié"),
    "company.registered": gettext_lazy("Entreprise enregistrée"),
    "company.changed": gettext_lazy("Fiche de l’entreprise modifiée"),
    "contract.recorded": gettext_lazy("Contrat %(subject)s enregistré"),
    "contract.ended": gettext_lazy("Fin du contrat %(subject)s modifiée"),
    "holding.opened": gettext_lazy("Titre sur le point %(subject)s enregistré"),
    "holding.closed": gettext_lazy("Fin du titre sur le point %(subject)s modifiée"),
    "holding.imported": gettext_lazy("Titres enregistrés par un fichier"),
    "collection.active": gettext_lazy("Collecte de la courbe de charge mise en service"),
    "collection.ended": gettext_lazy("Collecte de la courbe de charge terminée"),
    "collection.opposed": gettext_lazy("Collecte de la courbe de charge opposée"),
    "collection.requested": gettext_lazy("Collecte de la courbe de charge demandée"),
    "service.offered": gettext_lazy("Service de données « %(subject)s » proposé à d’autres rôles"),
    "terms.accepted": gettext_lazy("Conditions générales acceptées, version %(subject)s"),
    "terms.published": gettext_lazy("Conditions générales publiées, version %(subject)s"),
    "policy.changed": gettext_lazy("Règles de sécurité modifiées"),
    "eic.submitted": gettext_lazy("Demande de code EIC %(subject)s envoyée"),
    "eic.taken": gettext_lazy("Demande de code EIC %(subject)s prise en charge"),
    "eic.returned": gettext_lazy("Demande de code EIC %(subject)s renvoyée pour complément"),
    "eic.accepted": gettext_lazy("Demande de code EIC %(subject)s acceptée"),
    "eic.refused": gettext_lazy("Demande de code EIC %(subject)s refusée"),
    "eic.withdrawn": gettext_lazy("Demande de code EIC %(subject)s retirée"),
    "eic.recorded": gettext_lazy("Code EIC %(subject)s enregistré"),
    "eic.imported": gettext_lazy("Codes EIC enregistrés par un fichier"),
    "eic.changed": gettext_lazy("Fiche du code EIC %(subject)s modifiée"),
    "eic.linked": gettext_lazy("Code EIC %(subject)s rattaché à l’entreprise"),
    "eic.unlinked": gettext_lazy("Code EIC %(subject)s détaché de l’entreprise"),
    "eic.deactivated": gettext_lazy("Code EIC %(subject)s désactivé"),
    "eic.reactivated": gettext_lazy("Code EIC %(subject)s remis en service"),
    "eic.issued": gettext_lazy("Code EIC %(subject)s attribué"),
    "kyc.form_published": gettext_lazy("Version %(subject)s du questionnaire client publiée"),
    "kyc.expired": gettext_lazy("Questionnaire client %(subject)s arrivé à échéance"),
    "kyc.submitted": gettext_lazy("Questionnaire client %(subject)s envoyé"),
    "kyc.taken": gettext_lazy("Questionnaire client %(subject)s pris en charge"),
    "kyc.returned": gettext_lazy("Questionnaire client %(subject)s renvoyé pour complément"),
    "kyc.accepted": gettext_lazy("Questionnaire client %(subject)s accepté"),
    "kyc.refused": gettext_lazy("Questionnaire client %(subject)s refusé"),
    "kyc.withdrawn": gettext_lazy("Questionnaire client %(subject)s retiré"),
    "directory.token_created": gettext_lazy("Jeton d’annuaire « %(subject)s » créé"),
    "directory.token_revoked": gettext_lazy("Jeton d’annuaire « %(subject)s » révoqué"),
    "registry.reconciled": gettext_lazy("Registre remis en accord avec le journal après une restauration"),
}

FAMILIES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "utilisateurs": (
        gettext_lazy("Utilisateurs et invitations"),
        ("member", "invitation", "first_administrator", "account"),
    ),
    "groupes": (gettext_lazy("Groupes et services"), ("group", "application")),
    "entreprise": (gettext_lazy("Entreprise et contrats"), ("company", "contract", "service")),
    "points": (gettext_lazy("Points et collecte"), ("holding", "collection")),
    "demandes": (gettext_lazy("Codes EIC et questionnaire client"), ("eic", "kyc")),
    "annuaire": (gettext_lazy("Annuaire de l’entreprise"), ("directory",)),
    "regles": (gettext_lazy("Sécurité et conditions générales"), ("policy", "terms", "registry")),
}
"""What one may ask for: by the word in the address, its label and the beginnings of the actions it stands for."""


def sentence(event: AuditEvent) -> str:
    """What happened, in words; the code itself for an action that nobody has put into words."""
    text = SENTENCES.get(event.action)
    if text is None:
        return event.action
    label = (
        grouped_digits(event.subject_label) if event.action.startswith("holding.") else event.subject_label
    )
    return formats.elided(str(text) % {"subject": label})


def grouped_digits(identifier: str) -> str:
    """Its digits in groups, as on every page; a file has them as they are."""
    return formats.NO_BREAK.join(formats.groups(identifier))


def on_behalf(event: AuditEvent) -> str:
    """For which company the person acted, when it was not the one concerned; empty otherwise."""
    if event.acting_for is None or event.organisation in (None, event.acting_for):
        return ""
    return _("%(company)s, pour votre compte") % {"company": event.acting_for_name}


def who(event: AuditEvent) -> str:
    return event.user_name or nobody()


def nobody() -> str:
    """Who did what no person of a name did, at the command line or by the passing of time."""
    return _("Le gestionnaire de réseau")
