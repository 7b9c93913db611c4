"""Whether a title holds today, will, or did."""

from datetime import date

from django.utils.translation import gettext as _

from gridgate.core.time import day_before
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Tag


def title_state(begins: date, ends: date | None, today: date) -> Tag:
    """Whether a title holds today, will, or did."""
    if begins > today:
        return Tag("info", _("À venir"), "clock")
    if ends is not None and ends <= today:
        return Tag("", _("Terminé"), "minus")
    if ends is not None:
        return Tag("warn", _("Jusqu’au %(day)s") % {"day": formats.day(day_before(ends))}, "clock")
    return Tag("good", _("Titulaire"), "check")
