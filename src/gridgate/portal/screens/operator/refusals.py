"""Why an operation of the back office refused, and what to do."""

from django.utils.translation import gettext as _

from gridgate.core.errors import GridgateError
from gridgate.metering.operations.titles import TitleEndsBeforeItBegins, TitlesOverlap
from gridgate.onboarding.operations.declarations import AlreadyAdministered, NoContract, NoEicCode
from gridgate.onboarding.operations.invitations import InvitationClosed
from gridgate.onboarding.operations.sending import InvitationOpen
from gridgate.organisations.operations.members import MembershipExists
from gridgate.requests.operations.life import ReasonMissing, RequestNotOpen


def refusal(error: GridgateError) -> str:
    """Why an operation refused, and what to do, in the words of the screen."""
    match error:
        case RequestNotOpen():
            return _("Cette demande n’est plus à décider : voyez où elle en est.")
        case ReasonMissing():
            return _("Dites pourquoi : la personne qui a demandé le lira.")
        case AlreadyAdministered():
            return _("L’entreprise a un administrateur : ses administrateurs invitent les autres personnes.")
        case NoContract():
            return _("Aucun contrat n’est en vigueur : enregistrez-le d’abord.")
        case NoEicCode():
            return _("L’entreprise n’a pas de code EIC de type X actif : attribuez-lui en un d’abord.")
        case InvitationOpen():
            return _("Un lien est déjà en route pour cette personne : renvoyez-le, ou annulez-le d’abord.")
        case InvitationClosed():
            return _("Cette déclaration a déjà été acceptée ou annulée.")
        case MembershipExists():
            return _("Cette personne agit déjà pour l’entreprise.")
        case TitlesOverlap():
            return _(
                "Une entreprise est déjà titulaire du point ces jours-là : choisissez un autre jour, ou mettez d’abord "
                "fin à son titre."
            )
        case TitleEndsBeforeItBegins():
            return _("La fin vient après le début.")
        case _:
            return str(error)
