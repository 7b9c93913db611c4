"""Green Button: NAESB REQ.21 ESPI in Atom, versions 1.1 to 4.0 (the elements read here are the same in all).

What is decided here, and by which rule of `espi.xsd` (v4.0):

- An `IntervalReading` covers `[start, start + duration)`; `start` is an instant, so clock changes need no
  care. Without a `timePeriod` the readings of a block follow each other from the block's `interval`, each as long as
  the `intervalLength` of its type. A length one second short of a step or a day (3599 s) names the last second.
- `uom` 72 (Wh) with `accumulationBehaviour` 4 (deltaData) or 0 is the energy of the interval: a load curve
  for steps of 5 to 60 minutes, the daily energy when the interval is a civil day of the feed's own clock
  (`LocalTimeParameters`), or else of ours. With 1, 2, 3 or 9 (registers that count up) it is a register reading at
  the end of the interval.
- `uom` 38 (W) is mean power, unless `dataQualifier` or `accumulationBehaviour` says something else; `uom` 61 (VA) with
  `dataQualifier` 8 (maximum) over a day is the maximum power. Everything else is rejected, value by value.
- `flowDirection` 1 (forward, delivered) is withdrawal, 19 (reverse, received) injection; 0 or none leaves it
  to `--direction` or the metering point; net, total and reactive quadrants are rejected: they are not what a meter has
  counted one way.
- A curve is of the whole point: phases are added up where the file has all of them, else rejected; so are values of one
  part of a tariff (`tou`, `consumptionTier`, `cpp`), of which only registers are kept, each under its own name (`TOU1`).
- `powerOfTenMultiplier` applies to every value. `QualityOfReading`, of the reading or else the `defaultQuality` of its
  type: 0, 14, 17, 18, 19 is measured, 7 (edited by a person) corrected, 12 (projected) no measurement, any other
  estimated.
- Costs and summaries for billing are not measurements and are passed over; a reading with a cost only is
  rejected.
"""

from collections.abc import Iterator
from typing import ClassVar, Final

from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.port import Notes, Observations
from gridgate.dataplane.ingest.readers.espi.feed import ELEMENTS, Feed
from gridgate.dataplane.ingest.readers.espi.intervals import observations
from gridgate.dataplane.ingest.xml import elements


class EspiReader:
    """Green Button, as « Download My Data » and the batch resources of « Connect My Data » give it."""

    name: ClassVar[str] = "espi"
    title: ClassVar[str] = "Green Button (NAESB ESPI, Atom XML)"

    def recognises(self, content: Content) -> bool:
        return content.xml_root in ("feed", "entry") and b"naesb.org/espi" in content.head

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        feed = Feed(notes)
        for element in elements(content, ELEMENTS):
            feed.take(element)
        feed.finish()
        yield from observations(feed, notes)


READER: Final = EspiReader()
