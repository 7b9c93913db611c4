"""Lay the templates out: `python -m tools.templates` writes them, with `--check` it names those not laid out so.

A page's line breaks are no part of it (`gridgate.portal.template_lines`): its template may be broken wherever it reads
better, and what is left to do is to keep every space that stands within a line. One that would say something else is
refused. In letters of plain text a line break is text: they are broken within `{% blocktranslate trimmed %}` alone, and
`{% translate %}` becomes that where it is too long.

Ours because none of djLint, djade, djhtml and curlylint, as of November 2026, did it. The first is the only one that
breaks lines, and it left 208 longer than 500 signs: it takes `{% td %}` and its like for text, and never breaks within a
sentence; where it does break, spaces come into the page. djade and djhtml set spaces within tags and at the beginning of
lines, curlylint only looks.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.templates.laying_out import LIMIT, letter, page

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "gridgate"


def templates() -> Iterator[Path]:
    yield from sorted(PACKAGE.rglob("*.html"))
    yield from sorted(PACKAGE.glob("**/templates/**/*.txt"))


def faults_of(path: Path, *, write: bool) -> Iterator[str]:
    """What is wrong with a template, after it was laid out if that is asked."""
    source = path.read_text(encoding="utf-8")
    name = path.relative_to(PACKAGE)
    try:
        laid = page(source) if path.suffix == ".html" else letter(source)
    except ValueError as error:
        yield f"{name}: {error}"
        return
    if laid != source and write:
        path.write_text(laid, encoding="utf-8")
    elif laid != source:
        yield f"{name}: not laid out, run make format"
    for number, line in enumerate(laid.splitlines(), 1):
        if len(line) > LIMIT:
            yield f"{name}:{number}: {len(line)} signs, more than {LIMIT}, and no place to break them"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Lay the templates out.")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if one is not laid out")
    write = not parser.parse_args(arguments).check
    faults = [fault for path in templates() for fault in faults_of(path, write=write)]
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
