"""Figures in the read-mes are those measured, budgets are of lines that there are and hold them."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import report, results
from benchmarks.lines import QUICK, Line
from benchmarks.results import Results, budgets, missed, newest, read


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
