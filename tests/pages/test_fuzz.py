"""A look at every route of both planes with parameters that nobody expects: `python -m benchmarks.fuzz` in small."""

from pathlib import Path

from benchmarks.fuzz import run
from benchmarks.fuzz_pages import Pages
from benchmarks.fuzz_programs import Programs
from tests.pages.conftest import Stage


def test_no_route_answers_5xx_to_any_input(stage: Stage, tmp_path: Path) -> None:
    """Those of the portal once, those of the data plane many times: they take a hundredth of the time."""
    pages, programs = Pages(*stage, looking=False), Programs(tmp_path)
    try:
        report = run([programs, programs, programs, pages], numbers=range(4 * len(pages.routes)), seed=1)
    finally:
        programs.close()
    assert report.failures == {}
    assert report.routes == {*pages.routes, *programs.routes}
