"""Values that came and were set aside, in words: one sentence a cause, and what can be done about it."""

from collections import Counter
from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.dataplane.client import Cause, SetAside
from gridgate.portal.kit import formats


def set_aside_in_words(values: Sequence[SetAside]) -> str:
    """How many came and were not kept, why, and what to do: of an opposition, where it is lifted; of a fault, who mends
    it."""
    counts: Counter[tuple[Cause, bool]] = Counter()
    for one in values:
        counts[one.cause, one.of_curve] += one.count
    sentences = [_sentence(*what, count) for what, count in counts.most_common()]
    causes = {cause for cause, _of_curve in counts}
    if causes - {Cause.OPPOSITION}:
        sentences.append(
            _(
                "Le gestionnaire de réseau peut corriger ce qui est en défaut et le renvoyer\u00a0: demandez-le-lui. Les "
                "valeurs apparaîtront alors ici."
            )
        )
    if Cause.OPPOSITION in causes:
        sentences.append(
            _(
                "Une opposition se lève, pour les jours à venir, à la page «\u00a0Collecte de la courbe de charge\u00a0»."
            )
        )
    return " ".join(sentences)


def only_opposed(found: Sequence[SetAside]) -> bool:
    """True when what was set aside is in no way at fault."""
    return {one.cause for one in found} == {Cause.OPPOSITION}


def _sentence(cause: Cause, of_curve: bool, count: int) -> str:
    told = {"count": formats.number(count), "why": _why(cause, count)}
    if of_curve:
        return (
            ngettext(
                "%(count)s\u00a0valeur de la courbe de charge est arrivée et n’a pas été retenue\u00a0: %(why)s.",
                "%(count)s\u00a0valeurs de la courbe de charge sont arrivées et n’ont pas été retenues\u00a0: %(why)s.",
                count,
            )
            % told
        )
    return (
        ngettext(
            "%(count)s\u00a0valeur est arrivée et n’a pas été retenue\u00a0: %(why)s.",
            "%(count)s\u00a0valeurs sont arrivées et n’ont pas été retenues\u00a0: %(why)s.",
            count,
        )
        % told
    )


def _why(cause: Cause, count: int) -> str:
    match cause:
        case Cause.UNREADABLE:
            return ngettext("ce n’est pas un nombre", "ce ne sont pas des nombres", count)
        case Cause.NEGATIVE:
            return ngettext("elle est négative", "elles sont négatives", count)
        case Cause.BEYOND:
            return ngettext(
                "elle dépasse tout ce qu’un compteur peut mesurer",
                "elles dépassent tout ce qu’un compteur peut mesurer",
                count,
            )
        case Cause.UNIT:
            return ngettext(
                "son unité manque, ou n’est pas celle de cette grandeur",
                "leur unité manque, ou n’est pas celle de cette grandeur",
                count,
            )
        case Cause.QUALITY:
            return _("la qualité que le fichier en dit n’est pas connue ici")
        case Cause.STEP:
            return ngettext(
                "son pas de temps n’est pas connu, ou n’est pas de 5, 10, 15, 30 ou 60\u00a0min",
                "leur pas de temps n’est pas connu, ou n’est pas de 5, 10, 15, 30 ou 60\u00a0min",
                count,
            )
        case Cause.OFF_GRID:
            return ngettext(
                "son heure ne tombe pas sur son pas de temps",
                "leurs heures ne tombent pas sur leur pas de temps",
                count,
            )
        case Cause.NO_SUCH_TIME:
            return ngettext(
                "son heure n’existe pas ce jour-là, où l’heure change",
                "leurs heures n’existent pas ce jour-là, où l’heure change",
                count,
            )
        case Cause.AMBIGUOUS_TIME:
            return ngettext(
                "son heure vient deux fois ce jour-là, où l’heure change, et rien ne dit laquelle c’est",
                "leurs heures viennent deux fois ce jour-là, où l’heure change, et rien ne dit lesquelles ce sont",
                count,
            )
        case Cause.NOT_A_DAY:
            return ngettext(
                "elle est d’un jour qui ne va pas de minuit à minuit",
                "elles sont de jours qui ne vont pas de minuit à minuit",
                count,
            )
        case Cause.NO_SUCH_SLOT:
            return ngettext(
                "elle est d’une heure que ce jour n’a pas", "elles sont d’heures que ce jour n’a pas", count
            )
        case Cause.OVERLAPPING | Cause.REPEATED:
            return ngettext(
                "une autre valeur, qui est retenue, couvre une partie du même temps",
                "d’autres valeurs, qui sont retenues, couvrent une partie du même temps",
                count,
            )
        case Cause.CONTRADICTED:
            return _("pour le même moment, le même fichier en donne deux qui diffèrent")
        case Cause.OPPOSITION:
            return _("une opposition à la collecte de la courbe de charge était enregistrée")
        case Cause.DIRECTION_UNSAID:
            return ngettext(
                "rien ne dit si elle est soutirée ou injectée",
                "rien ne dit si elles sont soutirées ou injectées",
                count,
            )
        case Cause.DIRECTION_ABSENT:
            return ngettext(
                "elle est d’un sens que le point n’avait pas",
                "elles sont d’un sens que le point n’avait pas",
                count,
            )
        case Cause.FUTURE:
            return ngettext(
                "elle est arrivée avant l’heure dont elle se dit la mesure",
                "elles sont arrivées avant les heures dont elles se disent les mesures",
                count,
            )
        case Cause.OUT_OF_RANGE:
            return ngettext("sa date ne peut pas être lue", "leurs dates ne peuvent pas être lues", count)
