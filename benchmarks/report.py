"""`python -m benchmarks.report`: tables of figures in README.md and benchmarks/README.md, from the newest committed run.

Prose holds none of these figures, so that nothing can differ from what was measured.
"""

import re
import sys
from datetime import datetime
from pathlib import Path

from benchmarks.lines import Line
from benchmarks.results import HERE, Results, budgets, newest, read

BEGIN, END = "<!-- figures: python -m benchmarks.report -->", "<!-- /figures -->"
FEW = (
    "I1 start of `ingest`",
    "I1 CSV",
    "I1 wide CSV",
    "I1 Parquet",
    "I1 R63 in JSON",
    "R7 a week, Enedis shape",
    "R7 a week kept at ten minutes",
    "R365 a year, native",
    "T tokens",
    "A 1,000 points × month",
    "A 100,000 points × day",
    "C an end by the operation, after 1,000,000 reads",
    "F folding the log",
    "P `/`, all points",
    "P `/partage/`, all points",
    "P `/journal/`, all points",
)
"""Those that README.md tells."""


def main() -> int:
    results = read(newest())
    for path, text in pages(results).items():
        path.write_text(text, encoding="utf-8")
    return 0


def pages(results: Results) -> dict[Path, str]:
    """The read-mes as they are to be."""
    by_name = {line.name: line for line in results.lines}
    few = [by_name[name] for name in FEW]
    return {
        HERE.parent / "README.md": _between(HERE.parent / "README.md", table(results, few)),
        HERE / "README.md": _between(HERE / "README.md", table(results, results.lines, allowed=budgets())),
    }


def table(results: Results, lines: list[Line], allowed: dict[str, float] | None = None) -> str:
    heads = ["workload", "Gridgate", "peers, and how many times that", *(["budget"] if allowed else [])]
    rows = [
        [
            line.name,
            f"{number(line.least)} {line.unit}",
            "; ".join(f"{peer} {number(least)} ({number(ratio)}×)" for peer, least, ratio in line.ratios())
            or "–",
            *([f"{allowed[line.name]:,}" if line.name in allowed else ""] if allowed else []),
        ]
        for line in lines
    ]
    return "\n".join(
        [
            f"{datetime.fromisoformat(results.at):%-d %B %Y}, tree `{results.commit}`, Python {results.python},"
            f" {results.cores} cores, load {results.load} before the run and"
            f" {results.load_after} at its end; the least of the rounds, processor time unless said otherwise.",
            "",
            f"| {' | '.join(heads)} |",
            f"|{'---|' * len(heads)}",
            *(f"| {' | '.join(row)} |" for row in rows),
        ]
    )


def number(value: float) -> str:
    """With three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _between(path: Path, text: str) -> str:
    pattern = re.compile(re.escape(BEGIN) + ".*" + re.escape(END), re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{text}\n\n{END}", path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
