"""Files of half hours as they are sent: Gridgate's own columns, long and wide, in CSV and Parquet, and R63 in JSON."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.core.time import Resolution, slot_start, slots_in_day
from tests.dataplane_world import PARIS

FIRST_DAY: Final = date(2026, 6, 1)
"""The clock is not changed in the month after it."""


def identifier(number: int) -> str:
    return f"{number:014d}"


def instants(first: date, days: int) -> list[datetime]:
    """The instants at which the half hours of so many days begin."""
    return [
        slot_start(day, index, Resolution.PT30M, PARIS)
        for day in (first + timedelta(days=n) for n in range(days))
        for index in range(slots_in_day(day, Resolution.PT30M, PARIS))
    ]


def loads(points: int, slots: int, seed: int) -> NDArray[np.int64]:
    """Watts, of no pattern."""
    return np.random.default_rng(seed).integers(100, 9000, (points, slots))


def csv_file(path: Path, numbers: range, first: date, days: int) -> None:
    table(numbers, first, days).with_columns(
        pl.col("start").dt.convert_time_zone("Europe/Paris").dt.strftime("%Y-%m-%dT%H:%M:%S%:z"),
    ).write_csv(path)


def parquet_file(path: Path, numbers: range, first: date, days: int) -> None:
    table(numbers, first, days).write_parquet(path)


def wide_file(path: Path, numbers: range, first: date, days: int) -> None:
    values = loads(len(numbers), 48 * days, numbers.start).reshape(-1, 48)
    pl.DataFrame(
        {
            "metering_point_id": [identifier(number) for number in numbers for _ in range(days)],
            "day": [first + timedelta(days=day) for day in range(days)] * len(numbers),
            "resolution": ["PT30M"] * len(values),
            "unit": ["W"] * len(values),
            "quality": ["measured"] * len(values),
            **{f"v{place + 1}": values[:, place] for place in range(48)},
        }
    ).write_csv(path)


def table(numbers: range, first: date, days: int) -> pl.DataFrame:
    starts = instants(first, days)
    values = loads(len(numbers), len(starts), numbers.start)
    count = len(numbers) * len(starts)
    return pl.DataFrame(
        {
            "metering_point_id": pl.Series([identifier(n) for n in numbers]).gather(
                np.repeat(np.arange(len(numbers)), len(starts))
            ),
            "kind": pl.repeat("load_curve", count, eager=True),
            "direction": pl.repeat("withdrawal", count, eager=True),
            "start": pl.Series(starts * len(numbers)).dt.cast_time_unit("ms"),
            "resolution": pl.repeat("PT30M", count, eager=True),
            "value": values.ravel(),
            "unit": pl.repeat("W", count, eager=True),
            "quality": pl.repeat("measured", count, eager=True),
        }
    )


def r63_file(path: Path, numbers: range, first: date, days: int) -> None:
    half_hour = timedelta(minutes=30)
    ends = [
        (start + half_hour).astimezone(PARIS).strftime("%Y-%m-%d %H:%M:%S") for start in instants(first, days)
    ]
    period = {"dateDebut": first.isoformat(), "dateFin": (first + timedelta(days=days)).isoformat()}
    header = {
        "siDemandeur": "SGE",
        "typeDestinataire": "ENTREPRISE",
        "idDestinataire": "732829320",
        "codeFlux": "R63",
        "idDemande": "M0000YK0",
        "modePublication": "P",
        "idCanalContact": "Interne",
        "format": "JSON",
    }
    with path.open("w", encoding="ascii") as file:
        file.write(f'{{"header": {json.dumps(header)}, "mesures": [')
        for place, (number, values) in enumerate(
            zip(numbers, loads(len(numbers), len(ends), numbers.start).tolist(), strict=True)
        ):
            points = [
                {"v": str(v), "d": d, "p": "PT30M", "n": "B", "tc": "HPE", "iv": 0, "ec": None}
                for d, v in zip(ends, values, strict=True)
            ]
            quantity = {"grandeurMetier": "CONS", "grandeurPhysique": "PA", "unite": "W", "points": points}
            measure = {
                "idPrm": identifier(number),
                "etapeMetier": "BRUT",
                "periode": period,
                "modeCalcul": "BRUT",
                "grandeur": [quantity],
            }
            file.write(("," if place else "") + json.dumps(measure))
        file.write("]}")


WRITERS: Final[dict[str, tuple[str, Callable[[Path, range, date, int], None]]]] = {
    "csv": (".csv", csv_file),
    "parquet": (".parquet", parquet_file),
    "r63": (".json", r63_file),
    "wide": (".csv", wide_file),
}


def write_files(
    folder: Path, form: str, *, points: int, first: date = FIRST_DAY, days: int = 1, files: int = 1
) -> list[Path]:
    """So many files of the form, the points shared among them."""
    suffix, write = WRITERS[form]
    edges = np.linspace(1, points + 1, files + 1).astype(int).tolist()
    paths = []
    for place in range(files):
        paths.append(folder / f"{form}-{first:%Y%m%d}-{days}-{place:03}{suffix}")
        write(paths[-1], range(edges[place], edges[place + 1]), first, days)
    return paths
