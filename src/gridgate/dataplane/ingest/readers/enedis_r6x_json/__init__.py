"""Enedis R63, R64, R65, R66 as JSON, punctual (M023) and recurring (R63A/B, R64A/B, R66B), by the draft-04
schemas `Enedis.SGE.JSON.0510` to `0513` and `0532` to `0534`.

What is decided here:

- R63 is the load curve (`v`, `d`, `p` step, `n` nature). Its stamps are meant BY_SEGMENT: Enedis stamps C5
  and P4 at the end of the interval and C1–C4, P1–P3 at its start.
- R64 is register readings, one register for each temporal class of each grid, and the total
  (`cadranTotalisateur`); `d` is the instant of the reading (an index of day D is that of D at 00:00).
- R65 is the daily energy of the civil day `d`; R66 the daily maximum power, `d` being the instant it was
  reached.
- Flows of other things (R67 billed quantities, C68 contracts) are refused as a whole, other quantities value
  by value.
- The header has no time of publication but `echeances.horodateDebutPublication`; else the name of the file
  has one.
"""

import re
from array import array
from collections.abc import Iterator
from typing import ClassVar, Final

from gridgate.dataplane.ingest.content import HEAD, Content, decode_utf8, is_utf8
from gridgate.dataplane.ingest.json_pieces import NotJson, Text, items, long_list, whole
from gridgate.dataplane.ingest.port import Notes, Observations
from gridgate.dataplane.ingest.readers.enedis_r6x_json.flows import check, said_of_all, shapeless
from gridgate.dataplane.ingest.readers.enedis_r6x_json.gathered import Gathered
from gridgate.dataplane.ingest.readers.enedis_r6x_json.lists import objects
from gridgate.dataplane.ingest.unreadable import UnreadableFile

_HEADER: Final = re.compile(rb'"codeFlux"\s*:\s*"')
_LIST: Final = re.compile(rb"\s*\[")
_CONTRACTS: Final = re.compile(rb'"idPrm"\s*:.*"donneesGenerales"\s*:', re.DOTALL)


class R6xJsonReader:
    """R63, R64, R65, R66 in JSON."""

    name: ClassVar[str] = "enedis-r6x-json"
    title: ClassVar[str] = "Enedis R63, R64, R65, R66 (JSON)"

    def recognises(self, content: Content) -> bool:
        start = content.head.lstrip()
        if not start.startswith((b"{", b"[")):
            return False
        return bool(_HEADER.search(start) or _CONTRACTS.search(start)) or (
            b'"mesures"' in start and b'"idPrm"' in start
        )

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        try:
            yield from _observations(content, notes)
        except NotJson as error:
            raise UnreadableFile(
                f"the JSON is {'truncated' if error.truncated else 'malformed'} ({error.message})",
                remedy="Fetch the file again and compare its size with the sender's.",
                where=f"line {error.line}, column {error.column}",
            ) from None
        except RecursionError:
            raise UnreadableFile(
                "lists and objects nest deeper than in any flow", remedy="Fetch the file again."
            ) from None


READER: Final = R6xJsonReader()


def _observations(content: Content, notes: Notes) -> Iterator[Observations]:
    """The values of the document, or of a list of them.

    What of a list is no measurements is rejected; raises what is wrong with it when it is all there is.
    """
    if not is_utf8(content):
        decode_utf8(content, content.read())
    with content.open() as file:
        yield from _of_text(Text(file), content, Gathered(notes), notes)


def _of_text(data: Text, content: Content, gathered: Gathered, notes: Notes) -> Iterator[Observations]:
    if _LIST.match(data.part(0, HEAD)):
        yield from _of_a_list(data, content.name, gathered)
    elif (measures_list := long_list(data, "mesures")) is not None:
        document = {**measures_list.rest, "mesures": []}
        check(document)
        kind = said_of_all(document, content.name, notes)
        place = 0
        for measures in items(data, measures_list.start, measures_list.end):
            for number, measure in objects(measures, "mesures", notes, first=place):
                gathered.measure(measure, number, kind)
            place += len(measures)
            yield from gathered.observed()
    else:
        document = whole(data)
        check(document)
        gathered.document(document, "", content.name)
    yield from gathered.observed()


def _of_a_list(data: Text, name: str, gathered: Gathered) -> Iterator[Observations]:
    """Of a list of documents; what is wrong with some is told when there are others."""
    start = data.part(0, HEAD).index(b"[") + 1
    end = data.end_of_list(start)
    wrong: dict[tuple[str, str], array[int]] = {}
    first_wrong = shapeless()
    place, sound = 0, False
    for documents in items(data, start, end):
        for number, document in enumerate(documents, place):
            try:
                check(document)
            except UnreadableFile as error:
                if not wrong:
                    first_wrong = error
                told = f"{error.message}. {error.remedy}"
                wrong.setdefault((error.where or "mesures", told), array("q")).append(number)
            else:
                sound = True
                gathered.document(document, f"[{number}].", name)
        place += len(documents)
        yield from gathered.observed()
    if not sound:
        raise first_wrong
    for (where, told), numbers in wrong.items():
        for number in numbers:
            gathered.notes.reject(f"[{number}].{where}", told, "")
