"""The customer's own download."""

from collections.abc import Callable
from datetime import date

import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution
from tests.ingest_samples import AUTUMN, PLAIN, SPRING, ends, offset, starts
from tests.unit.dataplane.ingest.conftest import C4, C5, INJECTING, Taken

Take = Callable[..., Taken]
ABOUT = (
    "Identifiant PRM;Type de donnees;Date de debut;Date de fin;"
    "Grandeur physique;Grandeur metier;Etape metier;Unite"
)

INDEX = f"{ABOUT}\n{INJECTING};Index;01/06/2026;02/06/2026;Energie active;;Comptage Brut;Wh"


def curve(rows: list[str], *, minutes: str = "", trade: str = "Consommation") -> str:
    return "\n".join(
        [
            f"\ufeff{ABOUT};Pas en minutes",
            f"{C5};Courbe de charge;01/06/2026;02/06/2026;Energie active;{trade};Comptage Brut;W;{minutes}",
            "Horodate;Valeur",
            *rows,
            "",
        ]
    )


class TestCustomerCsv:
    @pytest.mark.parametrize("day", [PLAIN, SPRING, AUTUMN])
    @pytest.mark.parametrize("minutes", ["", "30"])
    def test_is_stamped_at_the_end(self, take: Take, day: date, minutes: str) -> None:
        rows = [f"{stamp};{n}" for n, stamp in enumerate(offset(ends(day)))]
        rows[0] += ";"  # as real files have it

        block = take(curve(rows, minutes=minutes)).block

        assert (block.day, block.key.resolution) == (day, Resolution.PT30M)
        assert block.values.tolist() == list(range(len(rows)))

    def test_is_stamped_at_the_start_for_a_point_of_c1_to_c4(self, take: Take) -> None:
        rows = [f"{stamp};{n}" for n, stamp in enumerate(offset(starts(PLAIN, Resolution.PT10M)))]

        block = take(curve(rows).replace(C5, C4)).block

        assert (block.day, block.key.resolution) == (PLAIN, Resolution.PT10M)
        assert block.values.tolist() == list(range(144))

    @pytest.mark.parametrize(
        ("kind", "stored"), [("Courbe de charge", 1), ("Puissance maximale", 1), ("Index", 0)]
    )
    def test_has_the_unit_of_a_curve_where_it_gives_none(self, take: Take, kind: str, stored: int) -> None:
        data = (
            f"{ABOUT}\n{C5};{kind};;;;Consommation;;\nHorodate;{'EAS T' if kind == 'Index' else 'Valeur'}\n"
        )
        rows = [f"{stamp};5" for stamp in offset(ends(PLAIN)[:2])]

        taken = take(data + "\n".join(rows[: 1 + (kind == "Courbe de charge")]))

        assert (taken.report.stored > 0) == bool(stored)

    @pytest.mark.parametrize("physical", ["Energie réactive", "Tension", "Puissance active phase 2"])
    def test_is_no_curve_of_something_else(self, take: Take, physical: str) -> None:
        rows = [f"{stamp};5" for stamp in offset(ends(PLAIN)[:2])]

        taken = take(curve(rows).replace("Energie active", physical))

        assert taken.report.stored == 0
        assert len(taken.reasons) == 2

    def test_has_sections(self, take: Take) -> None:
        moments = offset(ends(PLAIN)[:2])
        data = "\n".join(
            [
                INDEX,
                "Horodate;Type de releve;EAS T",
                f"{moments[0]};Arrêté quotidien;10",
                "Période;Identifiant calendrier",
                "Du 2026-01-01T00:00:00+01:00 au;FC000165",
                f"{ABOUT}\n{C5};Courbe de charge;;;Energie active;Consommation;;W\nHorodate;Valeur",
                *(f"{stamp};7" for stamp in moments),
                f"{ABOUT}\n{C5};Factures;;;;;;\nHorodate;Valeur\n{moments[0]};8",
                f"{ABOUT}\n{C5};Puissance maximale;;;Puissance maximale (phase 1);Consommation;;VA",
                "Horodate;Valeur",
                f"{moments[0]};9",
                f"{moments[1]};x",
            ]
        )

        taken = take(data)

        assert {(b.key.kind, b.key.register): b.values[b.said].tolist() for b in taken.blocks} == {
            (Kind.REGISTER_READING, ""): [10],
            (Kind.LOAD_CURVE, ""): [7, 7],
            (Kind.MAXIMUM_POWER, "PMA1"): [9],
        }
        assert [where for where, _ in taken.reasons] == ["line 13", "line 20"]

    def test_is_windows_1252_after_a_spreadsheet(self, take: Take) -> None:
        text = curve([f"{stamp};1" for stamp in offset(ends(PLAIN))]).removeprefix("\ufeff")
        data = text.replace("Energie", "Énergie").encode("cp1252")

        assert take(data).report.stored == 48

    def test_has_holes(self, take: Take) -> None:
        stamps = offset(ends(PLAIN))

        taken = take(curve([f"{stamp};{'' if n % 2 else 5}" for n, stamp in enumerate(stamps)]))

        assert (taken.report.stored, taken.report.holes, taken.report.complete) == (24, 24, True)
        assert taken.block.key.resolution is Resolution.PT30M

    def test_names_line_and_column(self, take: Take) -> None:
        taken = take(curve([f"{offset(ends(PLAIN))[0]};abc", *(f"{s};1" for s in offset(ends(PLAIN))[1:])]))

        assert taken.reasons[0][0] == "line 4"

    def test_keeps_a_register_a_dial(self, take: Take) -> None:
        data = "\n".join(
            [
                INDEX,
                "Horodate;Type de releve;EAS F1;EAS F2;EAS D1;EAS T;EAI T",
                "2026-06-01T00:00:00+02:00;Arrêté quotidien;10;;11;21;5",
            ]
        )

        blocks = take(data).blocks

        assert {(b.key.direction, b.key.register): int(b.values[0]) for b in blocks} == {
            (FlowDirection.WITHDRAWAL, "F1"): 10,
            (FlowDirection.WITHDRAWAL, "D1"): 11,
            (FlowDirection.WITHDRAWAL, ""): 21,
            (FlowDirection.INJECTION, ""): 5,
        }
        assert {b.key.kind for b in blocks} == {Kind.REGISTER_READING}

    @pytest.mark.parametrize("dial", ["{x}", "{", "{0.__class__}", "9" * 90])
    def test_names_a_dial_of_any_name(self, take: Take, dial: str) -> None:
        taken = take(f"{INDEX}\nHorodate;EAS {dial}\n2026-06-01T00:00:00+02:00;x")

        assert [where for where, _ in taken.reasons] == [f"line 4, column EAS {dial.upper()}"]

    @pytest.mark.parametrize("columns", ["EAS F1;EAS F1", "EAS F1;#line", "EAS F1;", "EAS F1;^(a$"])
    def test_lets_other_columns_bear_any_name(self, take: Take, columns: str) -> None:
        taken = take(f"{INDEX}\nHorodate;{columns}\n2026-06-01T00:00:00+02:00;1;1")

        assert (taken.report.stored, taken.report.complete) == (1, True)

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (ABOUT, "ends before its values"),
            (f"{ABOUT}\n{C5};Factures\nHorodate;Valeur\n", "« Factures » is not read here"),
            (f"{ABOUT}\n{C5};Courbe de charge\nHorodate\n", "no column « Valeur »"),
        ],
    )
    def test_is_refused_when_its_head_does_not_hold(self, take: Take, data: str, reason: str) -> None:
        assert reason in take(data).reasons[0][1]
