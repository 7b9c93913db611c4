"""Why an operation on a permission refused, and what to do."""

from django.utils.translation import gettext as _

from gridgate.core.errors import GridgateError
from gridgate.sharing.operations.durations import InvalidEnd
from gridgate.sharing.operations.extending import NotExtendable, Obstacle
from gridgate.sharing.operations.granting import AlreadyShared, LoadCurveOpposed, NoPoints, NotOffered
from gridgate.sharing.operations.requesting import RequestClosed


def obstacle(why: Obstacle) -> str:
    """Why a permission cannot last longer, and what to do."""
    match why:
        case Obstacle.ENDED:
            return _("Cette autorisation a déjà pris fin : pour partager de nouveau, souscrivez au service.")
        case Obstacle.SUSPENDED:
            return _(
                "Cette autorisation est suspendue par votre gestionnaire de réseau : elle se prolonge quand elle reprend."
            )
        case Obstacle.LAW:
            return _("Cette autorisation repose sur la loi : sa durée ne dépend pas de vous.")
        case Obstacle.ENDLESS:
            return _("Cette autorisation n’a pas de terme : elle dure tant que vous êtes titulaire.")
        case Obstacle.NOT_OFFERED:
            return _(
                "Ce service n’est plus proposé à votre entreprise : l’autorisation se poursuit jusqu’à son terme."
            )
        case Obstacle.FULL:
            return _(
                "Cette autorisation dure déjà trois ans à partir d’aujourd’hui, le plus que l’on puisse accorder."
            )


def refusal(error: GridgateError) -> str:
    """Why an operation refused, and what to do, in the words of the screen."""
    match error:
        case AlreadyShared():
            return _("Ce partage existe déjà, au moins jusqu’à cette date. Une fin plus tardive le prolonge.")
        case NotExtendable():
            return obstacle(error.obstacle)
        case LoadCurveOpposed():
            return _(
                "La courbe de charge de ces compteurs n’est pas collectée : activez d’abord sa collecte."
            )
        case InvalidEnd():
            return _("La fin doit être à venir, et dans trois ans au plus.")
        case NoPoints():
            return _("Aucun de ces compteurs n’est à vous aujourd’hui. Choisissez-en au moins un.")
        case NotOffered():
            return _(
                "Ce service est réservé à des entreprises qui ont un autre rôle sur le réseau. Refusez la demande, ou "
                "écrivez au gestionnaire de réseau, qui enregistre les rôles."
            )
        case RequestClosed():
            return _("Cette demande a déjà reçu une réponse, ou son délai est passé.")
        case _:
            return str(error)
