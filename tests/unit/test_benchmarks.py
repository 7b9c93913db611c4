"""Figures in the read-mes are those measured, budgets are of lines that there are and hold them."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from benchmarks import report, results
from benchmarks.__main__ import held
from benchmarks.lines import QUICK, Line
from benchmarks.results import Results, budgets, missed, newest, read, slower


def test_the_read_mes_hold_the_figures_of_the_newest_run():
    for path, text in report.pages(read(newest())).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run python -m benchmarks.report"


def test_each_budget_is_of_a_line_that_was_measured_and_met_it():
    lines = read(newest()).lines
    assert set(budgets()) <= {line.name for line in lines}
    assert list(missed(lines, budgets())) == []


def test_a_budget_holds_the_least_of_the_rounds():
    line = Line("I1 CSV", "µs a value", [3.0, 1.0, 2.0])
    assert list(missed([line], {"I1 CSV": 1.0})) == []
    (fault,) = missed([line], {"I1 CSV": 0.9})
    assert "1.00 µs a value, 0.9 allowed" in fault


def test_what_doubles_is_above_its_budget():
    lines = [replace(line, ours=[2 * taken for taken in line.ours]) for line in read(newest()).lines]
    assert {fault.rpartition(": ")[0] for fault in missed(lines, budgets())} == set(budgets())


def test_a_slower_machine_is_allowed_more_time_and_no_more_room():
    time, room = Line("R7", "µs a request", [3.0]), Line("M", "MB", [3.0])
    allowed = {"R7": 2.0, "M": 2.0}
    assert [fault[:3] for fault in missed([time, room], allowed)] == ["R7:", "M: "]
    assert [fault[:3] for fault in missed([time, room], allowed, slower=2.0)] == ["M: "]
    assert slower(1000.0) > 1
    assert slower(0.001) == 1, "a faster one is allowed no less"


@pytest.mark.parametrize(
    ("rounds", "least", "over"),
    [
        ([[5.0, 1.0]], 1.0, False),
        ([[5.0], [4.0], [2.0]], 2.0, False),  # other work was on the machine in the first two
        ([[5.0], [4.0], [3.0]], 3.0, True),
    ],
)
def test_a_budget_is_missed_once_it_was_missed_in_each_of_three_runs(rounds, least, over):
    runs = iter(rounds)

    def measure() -> list[Line]:
        return [Line("R7", "µs a request", next(runs), {"rows": [9.0]})]

    (line,), faults = held(measure, {"R7": 2.0}, yardstick=lambda: 0.001)
    assert (line.least, bool(faults)) == (least, over)
    assert len(line.peers["rows"]) == len(rounds)
    assert next(runs, None) is None, "it is measured no more often than it must be"


def test_a_peer_is_told_by_its_least_round_and_how_many_times_ours_it_takes():
    line = Line("A", "ms", [8.0, 4.0], {"rows": [30.0, 10.0]})
    assert list(line.ratios()) == [("rows", 10.0, 2.5)]


def test_a_run_is_kept_under_its_day_and_tree_without_names_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    run = Results(
        "2026-11-30T19:00:00+00:00", "0123abcd", "full", 2, "3.11.7", 2.5, 3.5, [Line("A", "ms", [1.0])]
    )
    path = run.write()
    assert path.name == "2026-11-30-0123abcd.json"
    assert read(path).lines == run.lines
    assert newest() == path
    kept = {"at", "commit", "scale", "cores", "python", "load", "load_after", "lines"}
    assert set(json.loads(path.read_text())) == kept


def test_a_look_is_not_taken_for_a_run(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    full = Results("2026-11-30T19:00:00+00:00", "0123abcd", "full", 2, "3.11.7", 2.5, 3.5, [])
    path = full.write()
    Results(**{**asdict(full), "at": "2026-12-01T19:00:00+00:00", "scale": "quick"}).write()
    assert newest() == path


@pytest.mark.parametrize("place", [0, 1])
def test_sums_are_asked_of_a_store_and_a_registry_as_they_are_now(tmp_path: Path, place):
    from benchmarks.sums import Question
    from gridgate.core.time import Resolution
    from gridgate.dataplane.client import Period

    question = Question(tmp_path, QUICK.rounds, 3, [Resolution.PT30M, Period.DAY][place])
    assert {way() for way in question.ours()} == {question.total}
