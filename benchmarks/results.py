"""What a run has shown, and what it may cost: `results/DATE-COMMIT.json`, `budgets.toml`."""

import json
import os
import platform
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

from benchmarks.lines import Line

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


@dataclass(frozen=True, slots=True)
class Results:
    at: str
    commit: str
    scale: str
    """`full` or `quick`."""
    cores: int
    python: str
    load: float
    """Of the machine before the run: how much else it did."""
    load_after: float
    """The run's own is in it."""
    lines: list[Line]

    def write(self) -> Path:
        RESULTS.mkdir(exist_ok=True)
        look = "" if self.scale == "full" else f"-{self.scale}"
        path = RESULTS / f"{self.at[:10]}-{self.commit}{look}.json"
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def begin(scale: str) -> Results:
    """Before anything is measured: no host name and no path is kept of the machine."""
    return Results(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=_commit(),
        scale=scale,
        cores=os.cpu_count() or 1,
        python=platform.python_version(),
        load=load(),
        load_after=0.0,
        lines=[],
    )


def read(path: Path) -> Results:
    found = json.loads(path.read_text(encoding="utf-8"))
    return Results(**{**found, "lines": [Line(**line) for line in found["lines"]]})


def newest() -> Path:
    """The newest run of everything at its full size."""
    return max(RESULTS.glob("????-??-??-*[0-9a-f].json"), key=lambda path: read(path).at)


def budgets() -> dict[str, float]:
    """By line, in its unit, what its least round may take."""
    found: dict[str, float] = _budgets()["least"]
    return found


def slower(yardstick: float) -> float:
    """How many times as long as where the budgets were set this machine takes for the same work; 1 when it is faster."""
    return max(1.0, yardstick / float(_budgets()["yardstick"]))


def missed(lines: Iterable[Line], allowed: dict[str, float], slower: float = 1.0) -> Iterator[str]:
    """What took more than it may, on a machine that is so many times slower: of memory and disk that changes nothing."""
    for line in lines:
        most = allowed.get(line.name, inf) * (1 if line.unit in ("MB", "bytes") else slower)
        if line.least > most:
            yield f"{line.name}: {line.least:,.2f} {line.unit}, {most:,.4g} allowed"


def _budgets() -> dict[str, Any]:
    return tomllib.loads((HERE / "budgets.toml").read_text(encoding="utf-8"))


def load() -> float:
    """Of the machine in the last minute."""
    return round(os.getloadavg()[0], 1)


def _commit() -> str:
    told = subprocess.run(
        ["git", "rev-parse", "--short=8", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "unknown"
