"""What the registers of a meter told, reading by reading."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import ngettext

from gridgate.core.quantities import Kind
from gridgate.dataplane.query.answer import Answer, Segment
from gridgate.portal.kit import formats
from gridgate.portal.screens.measurements.figures import (
    register_figure,
)
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.picture import Picture
from gridgate.portal.screens.measurements.sentences import (
    from_to,
)
from gridgate.portal.screens.measurements.subscribed_power import Meter
from gridgate.portal.screens.measurements.table import reading_rows


def draw_register_readings(
    answer: Answer,
    current: list[Segment],
    shown: Shown,
    meter: Meter,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    drawn = Picture(Kind.REGISTER_READING, count=sum(len(segment) for segment in current))
    returns = [gap.end for gap in answer.missing if gap.reason == "between_titles"]
    drawn.rows = reading_rows(current, returns, zone)
    registers = sorted({segment.register for segment in current})
    drawn.figures = [register_figure(register, current, returns) for register in registers][:4]
    drawn.caption = ngettext(
        "%(period)s\u00a0: %(count)s\u00a0relevé.", "%(period)s\u00a0: %(count)s\u00a0relevés.", drawn.count
    ) % {
        "period": from_to(shown, until, zone),
        "count": formats.number(drawn.count),
    }
    return drawn
