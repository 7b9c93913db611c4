"""Files of the field, made small for tests."""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gridgate.core.time import Resolution, slot_start, slots_in_day

PARIS = ZoneInfo("Europe/Paris")
SPRING, AUTUMN, PLAIN = date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1)

PLAIN_HEADER = "metering_point_id,kind,direction,start,resolution,value,unit,quality"
R63_HEADER = (
    "Identifiant PRM;Date de début;Date de fin;Grandeur physique;Grandeur métier;Etape métier;Unité;"
    "Horodate;Valeur;Nature;Pas;Indice de vraisemblance;Etat complémentaire"
)
R64_HEADER = (
    "Identifiant PRM;Date de début;Date de fin;Grandeur physique;Grandeur métier;Etape métier;Unité;Horodate;"
    "Contexte de relève;Type de relève;Motif de relève;Grille;Identifiant calendrier;Libellé Calendrier;"
    "Identifiant classe temporelle;Libellé classe temporelle;Cadran;Valeur;Indice de vraisemblance"
)
R65_HEADER = (
    "Identifiant PRM;Date de début;Date de fin;Grandeur physique;Grandeur métier;Etape métier;Unité;"
    "Mode de calcul;Pas;Date;Valeur"
)
R66_HEADER = (
    "Identifiant PRM;Date de début;Date de fin;Grandeur physique;Grandeur métier;Etape métier;Unité;"
    "Mode de calcul;Pas;Horodate;Valeur"
)


def starts(day: date, resolution: Resolution = Resolution.PT30M) -> list[datetime]:
    """The instants at which the steps of a civil day in Paris begin."""
    return [
        slot_start(day, index, resolution, PARIS) for index in range(slots_in_day(day, resolution, PARIS))
    ]


def ends(day: date, resolution: Resolution = Resolution.PT30M) -> list[datetime]:
    return [start + timedelta(seconds=resolution.seconds) for start in starts(day, resolution)]


def naive(instants: Iterable[datetime]) -> list[str]:
    """As the clock on the wall in Paris shows them, which says too little in October."""
    return [instant.astimezone(PARIS).strftime("%Y-%m-%d %H:%M:%S") for instant in instants]


def offset(instants: Iterable[datetime]) -> list[str]:
    return [instant.astimezone(PARIS).isoformat() for instant in instants]


def header(flow: str, *, recurring: bool = False) -> dict[str, str]:
    channel = {"idPublication": "P1"} if recurring else {"idCanalContact": "Interne"}
    return {
        "siDemandeur": "SGE",
        "typeDestinataire": "ENTREPRISE",
        "idDestinataire": "732829320",
        "codeFlux": flow,
        "idDemande": "M0000YK0",
        "modePublication": "P",
        **channel,
        "format": "JSON",
    }


def r6x(flow: str, measures: Sequence[Mapping[str, Any]], *, announced: str | None = None) -> dict[str, Any]:
    recurring = announced is not None
    document: dict[str, Any] = {"header": header(flow, recurring=recurring), "mesures": list(measures)}
    if announced is not None:
        document["echeances"] = {"type": "heureFixe", "horodateDebutPublication": announced}
    return document


def r63(
    point: str,
    stamps: Sequence[str],
    values: Sequence[object],
    *,
    nature: str = "B",
    step: str = "PT30M",
    flow: str = "R63",
    unit: str = "W",
    physical: str = "PA",
    trade: str = "CONS",
    announced: str | None = None,
) -> dict[str, Any]:
    points = [
        {"v": str(v), "d": d, "p": step, "n": nature, "iv": 0, "ec": None}
        for d, v in zip(stamps, values, strict=True)
    ]
    quantity = {
        "grandeurMetier": trade,
        "grandeurPhysique": physical,
        "unite": unit,
        "points": points,
    }
    return r6x(flow, [_measure(point, modeCalcul="BRUT", grandeur=[quantity])], announced=announced)


def r65(
    point: str, days: Sequence[str], values: Sequence[object], *, flow: str = "R65", **more: Any
) -> dict[str, Any]:
    return _daily(
        point, days, values, flow=flow, physical="EA", unit="Wh", **{"typeValeur": "GLOBALE", **more}
    )


def r66(
    point: str,
    stamps: Sequence[str],
    values: Sequence[object],
    *,
    flow: str = "R66",
    physical: str = "PMA",
    **more: Any,
) -> dict[str, Any]:
    return _daily(point, stamps, values, flow=flow, physical=physical, unit="VA", **more)


def r64(point: str, readings: Mapping[tuple[str, str], Sequence[tuple[str, int, int]]]) -> dict[str, Any]:
    """`readings` by (grid, class): («Distributeur», «HPH»); the class "" is the total."""
    calendars = [
        {
            "idCalendrier": "DI000003" if grid == "Distributeur" else "FC000165",
            "libelleCalendrier": grid,
            "libelleGrille": grid,
            "classeTemporelle": [
                {
                    "idClasseTemporelle": code,
                    "libelleClasseTemporelle": code,
                    "codeCadran": "IDX_EAS_D1" if grid == "Distributeur" else "IDX_EAS_F1",
                    "valeur": [{"d": d, "v": v, "iv": iv} for d, v, iv in values],
                }
            ],
        }
        for (grid, code), values in readings.items()
        if code
    ]
    quantity: dict[str, Any] = {"grandeurMetier": "CONS", "grandeurPhysique": "EA", "unite": "Wh"}
    quantity["calendrier"] = calendars
    total = next((values for (_, code), values in readings.items() if not code), None)
    if total is not None:
        points = [{"d": d, "v": v, "iv": iv} for d, v, iv in total]
        quantity["cadranTotalisateur"] = {"codeCadran": "IDX_EAS_T", "valeur": points}
    context = {
        "etapeMetier": "BRUT",
        "contexteReleve": "COL",
        "typeReleve": "AQ",
        "grandeur": [quantity],
    }
    measure = {"idPrm": point, "periode": _PERIOD, "contexte": [context]}
    return r6x("R64", [measure])


EUROPE = ("3E0E2000", "AE0E3000")
"""The last Sundays of March at 2:00 and of October at 3:00, as `DstRuleType` has them."""
NORTH_AMERICA = ("360E2000", "B40E2000")


def green_button(
    readings: Sequence[tuple[int, int, object]],
    *,
    flow: int | None = 1,
    unit: int = 72,
    multiplier: int = 0,
    accumulation: int = 4,
    qualifier: int = 12,
    commodity: int = 1,
    service: int = 0,
    quality: int | None = None,
    zone: tuple[int, int] | None = None,
    rules: tuple[str, str] = EUROPE,
    described: str = "",
    interval: tuple[int, int] | None = None,
    updated: str = "2026-11-01T00:00:00Z",
) -> str:
    """A feed of one usage point, `RetailCustomer/1/UsagePoint/01`; readings are (start, duration, value), and their type
    has what is `described` besides.
    """
    told = "" if quality is None else f"<ReadingQuality><quality>{quality}</quality></ReadingQuality>"
    blocks = "\n".join(
        f"<IntervalReading>{told}<timePeriod><duration>{duration}</duration><start>{start}</start></timePeriod>"
        f"<value>{value}</value></IntervalReading>"
        for start, duration, value in readings
    )
    direction = "" if flow is None else f"<flowDirection>{flow}</flowDirection>"
    clock = (
        ""
        if zone is None
        else "<entry><content><LocalTimeParameters xmlns='http://naesb.org/espi'>"
        f"<dstEndRule>{rules[1]}</dstEndRule><dstOffset>{zone[1]}</dstOffset><dstStartRule>{rules[0]}</dstStartRule>"
        f"<tzOffset>{zone[0]}</tzOffset></LocalTimeParameters></content></entry>"
    )
    bounds = (
        ""
        if interval is None
        else f"<interval><duration>{interval[1]}</duration><start>{interval[0]}</start></interval>"
    )
    base = "RetailCustomer/1/UsagePoint/01"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><updated>{updated}</updated>
<entry><id>urn:uuid:4217A3D3-60E0-46CD-A5AF-2A2D091F397E</id><link rel="self" href="{base}"/>
<content><UsagePoint xmlns="http://naesb.org/espi"><ServiceCategory><kind>{service}</kind></ServiceCategory>
</UsagePoint></content></entry>{clock}
<entry><link rel="self" href="{base}/MeterReading/01"/><link rel="related" href="ReadingType/07"/>
<content><MeterReading xmlns="http://naesb.org/espi"/></content></entry>
<entry><link rel="up" href="{base}/MeterReading/01/IntervalBlock"/>
<content><IntervalBlock xmlns="http://naesb.org/espi">{bounds}
{blocks}
</IntervalBlock></content></entry>
<entry><link rel="self" href="https://example.com/espi/1_1/resource/ReadingType/07"/>
<content><ReadingType xmlns="http://naesb.org/espi"><accumulationBehaviour>{accumulation}</accumulationBehaviour>
<commodity>{commodity}</commodity><dataQualifier>{qualifier}</dataQualifier>{direction}
<powerOfTenMultiplier>{multiplier}</powerOfTenMultiplier><uom>{unit}</uom>{described}</ReadingType></content></entry>
</feed>
"""


def r50(point: str, stamps: Sequence[str], values: Sequence[object | None]) -> str:
    points = "\n".join(
        f"<PDC><H>{stamp}</H>{'' if value is None else f'<V>{value}</V>'}<IV>0</IV></PDC>"
        for stamp, value in zip(stamps, values, strict=True)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<R50><En_Tete_Flux><Identifiant_Flux>R50</Identifiant_Flux>
<Date_Creation>2026-10-27T03:00:41+01:00</Date_Creation><Pas_Publication>30</Pas_Publication></En_Tete_Flux>
<PRM><Id_PRM>{point}</Id_PRM><Donnees_Releve><Date_Releve>2026-10-25</Date_Releve>
{points}
</Donnees_Releve></PRM></R50>"""


def plain_csv(rows: Iterable[str], columns: str = PLAIN_HEADER) -> bytes:
    return "\n".join([columns, *rows, ""]).encode()


def as_json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()


def zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


_PERIOD = {"dateDebut": "2026-01-01", "dateFin": "2026-12-31"}


def _measure(point: str, **more: Any) -> dict[str, Any]:
    return {"idPrm": point, "etapeMetier": "BRUT", "periode": _PERIOD, **more}


def _daily(
    point: str,
    stamps: Sequence[str],
    values: Sequence[object],
    *,
    flow: str,
    physical: str,
    unit: str,
    step: str = "P1D",
    **more: Any,
) -> dict[str, Any]:
    points = [{"v": str(v), "d": d} for d, v in zip(stamps, values, strict=True)]
    quantity = {
        "grandeurMetier": "CONS",
        "grandeurPhysique": physical,
        "unite": unit,
        "points": points,
    }
    measure = _measure(point, modeCalcul="DIFF.INDEX", pas=step, grandeur=[quantity], **more)
    return r6x(flow, [measure])
