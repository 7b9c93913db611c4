"""The register of EIC codes: recorded, deactivated, linked, and brought in from other offices' files."""

from typing import Any

import pytest

from gridgate.audit.events import broken_links
from gridgate.audit.models import AuditEvent
from gridgate.eic.models import EicCode
from gridgate.eic.operations.importing import EicImportReport, import_eic_codes
from gridgate.eic.operations.issuing import EicCodeTaken, accept_eic_request
from gridgate.eic.operations.register import (
    InvalidEicCode,
    add_eic_code,
    deactivate_eic_code,
    link_eic_code,
    reactivate_eic_code,
)
from gridgate.eic.queries import (
    EicCodeNotFound,
    EicFilter,
    code_for_staff,
    codes_readable_by,
    history_of,
    narrow_codes,
    organisation_eic_code,
    register_for_staff,
)
from gridgate.organisations.authority import NotAllowed
from gridgate.requests.operations.life import ReasonMissing
from tests.factories.eic import make_code, make_request
from tests.world import World

VALID = [
    "10XFR-RTE------Q",
    "10YFR-RTE------C",
    "17X100A100R018RD",
    "17X100A100R0711P",
    "17Z000035050011R",
    "17Z2016091600626",
    "17W100P100P00016",
    "12XATEL-HANDEL-K",
    "10YCH-SWISSGRIDZ",
    "22X10092011----M",
    "10T-BE-FR-000031",
]
INVALID = ["17Z123456789012T", "17Z2016091600611", "17X100A157F0022N", "17T-FR-00000046X"]
"""Published all the same, by the office that issued them."""


def add(world: World, code: str, **changed: object) -> EicCode:
    said = {"display_name": code[3:15], "long_name": "Une société", "actor": world.operateur} | changed
    return add_eic_code(code=code, now=world.now, **said)  # type: ignore[arg-type]


def bring(world: World, *lines: dict[str, str], dry_run: bool = False) -> EicImportReport:
    full = [{"display_name": "NOM", "long_name": "Nom complet"} | line for line in lines]
    return import_eic_codes(enumerate(full, 2), name="registre.csv", dry_run=dry_run, now=world.now)


def told(report: EicImportReport) -> list[tuple[int, str]]:
    return [(one.line, one.finding.value) for one in report.told]


class TestACodeIssuedElsewhere:
    @pytest.mark.parametrize("code", VALID)
    def test_is_recorded(self, world: World, code: str) -> None:
        added = add(world, code.lower())
        assert (added.pk, added.type, added.valid) == (code, code[2], True)
        assert added.source == ("issued" if code.startswith("17") else "imported")

    @pytest.mark.parametrize("code", INVALID)
    def test_is_recorded_though_its_check_character_fails(
        self, world: World, settings: Any, code: str
    ) -> None:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"eic_office": "10"})
        added = add(world, code)
        assert (added.valid, added.source) == (False, "imported")

    @pytest.mark.parametrize("code", INVALID)
    def test_is_refused_when_it_would_be_of_this_office(self, world: World, code: str) -> None:
        with pytest.raises(InvalidEicCode, match=r"character (should|would) be") as refused:
            add(world, code)
        assert refused.value.where == "code"
        assert not EicCode.objects.exists()

    @pytest.mark.parametrize("where", ["parent", "responsible_party"])
    def test_names_no_code_of_this_office_that_is_not_in_the_register(self, world: World, where: str) -> None:
        with pytest.raises(InvalidEicCode) as refused:
            add(world, VALID[0], **{where: INVALID[2]})
        assert refused.value.where == where
        bring(world, {"code": INVALID[2]})
        assert getattr(add(world, VALID[0], **{where: INVALID[2]}), where) == INVALID[2]

    @pytest.mark.parametrize("code", ["10XFR-RTE", "10BFR-RTE------Q", "10XFR_RTE------Q", ""])
    def test_has_the_shape_of_one(self, world: World, code: str) -> None:
        with pytest.raises(InvalidEicCode) as refused:
            add(world, code)
        assert refused.value.where == "code"

    def test_is_there_once(self, world: World) -> None:
        add(world, VALID[0])
        with pytest.raises(EicCodeTaken):
            add(world, VALID[0].lower())

    def test_gives_its_company_what_a_first_administrator_needs(self, world: World) -> None:
        assert organisation_eic_code(world.acme) is None
        add(world, "10YFR-RTE------C", organisation=world.acme)
        assert organisation_eic_code(world.acme) is None  # an area is no party
        code = add(world, "10XFR-RTE------Q", organisation=world.acme)
        assert organisation_eic_code(world.acme) == code
        deactivate_eic_code(code=code, reason="Cessation", actor=world.operateur, now=world.now)
        assert organisation_eic_code(world.acme) is None

    def test_is_recorded_by_the_operators_staff(self, world: World) -> None:
        with pytest.raises(NotAllowed):
            add(world, VALID[0], actor=world.alice)


class TestStatusAndCompany:
    def test_a_code_is_deactivated_and_reactivated_with_a_reason(self, world: World) -> None:
        code = add(world, VALID[0], organisation=world.acme)
        with pytest.raises(ReasonMissing):
            deactivate_eic_code(code=code, reason=" ", actor=world.operateur, now=world.now)
        gone = deactivate_eic_code(code=code, reason="Cessation", actor=world.operateur, now=world.now)
        assert (gone.active, gone.deactivated_at) == (False, world.now)
        back = reactivate_eic_code(code=code, reason="Erreur", actor=world.operateur, now=world.now)
        assert (back.active, back.deactivated_at) == (True, None)
        actions = [event.action for event in history_of(actor=world.operateur, code=code)]
        assert actions == ["eic.reactivated", "eic.deactivated", "eic.recorded"]
        assert {event.organisation for event in history_of(actor=world.operateur, code=code)} == {
            world.acme.pk
        }

    def test_the_same_again_changes_and_tells_nothing(self, world: World) -> None:
        code = add(world, VALID[0])
        reactivate_eic_code(code=code, reason="Encore", actor=world.operateur, now=world.now)
        link_eic_code(code=code, organisation=None, actor=world.operateur, now=world.now)
        assert history_of(actor=world.operateur, code=code).count() == 1

    def test_moving_a_code_tells_each_company_of_its_own_side(self, world: World) -> None:
        """ACME does not learn that Client B is here, nor Client B that ACME is."""
        code = add(world, VALID[0], organisation=world.acme)
        moved = link_eic_code(code=code, organisation=world.client_b, actor=world.operateur, now=world.now)
        assert moved.organisation == world.client_b
        left, joined = (
            AuditEvent.objects.filter(subject=code.pk).exclude(action="eic.recorded").order_by("pk")
        )
        assert (left.action, left.organisation) == ("eic.unlinked", world.acme.pk)
        assert (joined.action, joined.organisation) == ("eic.linked", world.client_b.pk)
        assert "Client B" not in f"{left.before}{left.after}{left.subject_label}"
        assert "ACME" not in f"{joined.before}{joined.after}{joined.subject_label}"

    def test_is_the_operators_staffs_business(self, world: World) -> None:
        code = add(world, VALID[0], organisation=world.acme)
        with pytest.raises(NotAllowed):
            deactivate_eic_code(code=code, reason="Non", actor=world.alice, now=world.now)
        with pytest.raises(NotAllowed):
            link_eic_code(code=code, organisation=None, actor=world.alice, now=world.now)
        with pytest.raises(NotAllowed):
            history_of(actor=world.alice, code=code)
        with pytest.raises(NotAllowed):
            register_for_staff(actor=world.alice)


class TestLookingUp:
    @pytest.mark.parametrize(
        "text", ["energie du rhone", "ÉNERGIE", "17xener", "rhône énergie", "ENERGIE-RHONE"]
    )
    def test_by_code_and_names_whatever_case_and_accents(self, world: World, text: str) -> None:
        code = make_code("ENERGIE-RHONE", long_name="Énergie du Rhône")
        make_code("BOREAL", long_name="Boréal Réseaux")
        assert list(narrow_codes(EicCode.objects.all(), EicFilter(text=text))) == [code]

    def test_by_a_code_typed_in_groups(self, world: World) -> None:
        code = add(world, "17X100A100R018RD")
        assert list(narrow_codes(EicCode.objects.all(), EicFilter(text="17x 100a100r018 rd"))) == [code]

    def test_by_type_state_origin_and_company(self, world: World) -> None:
        ours = make_code("ACME", organisation=world.acme, office="10")
        area = make_code("ZONE", type="Y", office="10")
        gone = make_code("PARTI", office="10")
        deactivate_eic_code(code=gone, reason="Cessation", actor=None, now=world.now)
        issued = accept_eic_request(
            request=make_request(world.charlie, display_name="CLIENT-B", long_name="Client B"),
            body="CLIENT-B----",
            actor=world.operateur,
            now=world.now,
        ).code

        def found(**wanted: object) -> set[EicCode]:
            return set(narrow_codes(EicCode.objects.all(), EicFilter(**wanted)))  # type: ignore[arg-type]

        assert found(type="Y") == {area}
        assert found(active=False) == {gone}
        assert found(source="issued") == {issued}
        assert found(company="acme") == {ours}
        assert found(company="123 456 782") == {issued}
        assert found(company="nulle part") == set()

    def test_measurement_points_are_their_companys_own(self, world: World) -> None:
        point = make_code("POINT", type="Z", organisation=world.acme)
        party = make_code("PARTIE", organisation=world.acme)
        assert set(codes_readable_by(user=world.alice.user, actor=world.alice)) == {point, party}
        assert set(codes_readable_by(user=world.charlie.user, actor=world.charlie)) == {party}
        assert set(codes_readable_by(user=world.alice.user, actor=None)) == {party}

    def test_absent_is_absent(self, world: World) -> None:
        with pytest.raises(EicCodeNotFound):
            code_for_staff(actor=world.operateur, code=VALID[0])


class TestAnotherOfficesRegister:
    def test_is_recorded_and_the_same_file_again_changes_nothing(self, world: World) -> None:
        lines = [{"code": code} for code in VALID]
        first = bring(world, *lines)
        assert (first.read, first.created, first.told) == (11, 11, [])
        again = bring(world, *lines)
        assert (again.read, again.unchanged, again.created, again.changed) == (11, 11, 0, 0)
        assert AuditEvent.objects.filter(action="eic.imported").count() == 1
        assert list(broken_links()) == []

    def test_warns_of_a_check_character_and_keeps_the_code(self, world: World) -> None:
        report = bring(world, *({"code": code} for code in INVALID))
        assert (report.created, report.rejected) == (4, 0)
        assert told(report) == [(line, "check_character") for line in range(2, 6)]
        assert report.told[2].reason == "the last character should be V"
        assert set(EicCode.objects.filter(valid=False).values_list("pk", flat=True)) == set(INVALID)

    def test_leaves_out_what_is_no_code_and_says_why(self, world: World) -> None:
        report = bring(
            world,
            {"code": "10XFR-RTE"},
            {"code": "10BFR-RTE------Q"},
            {"code": "10XFR_RTE------Q"},
            {"code": VALID[0]},
            {"code": VALID[0]},
            {"code": VALID[1], "display_name": "", "long_name": ""},
            {"code": VALID[2], "status": "perhaps"},
        )
        assert (report.read, report.created, report.rejected) == (7, 1, 6)
        assert told(report) == [
            (2, "no_code"),
            (3, "no_code"),
            (4, "no_code"),
            (6, "duplicate"),
            (7, "missing_name"),
            (8, "bad_status"),
        ]
        assert "9 characters; an EIC has 16" in report.told[0].reason

    def test_a_dry_run_tells_the_same_and_writes_nothing(self, world: World) -> None:
        lines = [{"code": code} for code in (*VALID, *INVALID)]
        foreseen = bring(world, *lines, dry_run=True)
        assert not EicCode.objects.exists()
        assert not AuditEvent.objects.filter(action="eic.imported").exists()
        done = bring(world, *lines)
        assert (foreseen.created, told(foreseen)) == (done.created, told(done)) == (15, told(done))

    def test_brings_a_code_up_to_date_and_keeps_what_it_was(self, world: World) -> None:
        bring(world, {"code": VALID[0], "parent": "10X1001A1001A450"})
        report = bring(world, {"code": VALID[0], "long_name": "Autre nom", "status": "inactive"})
        code = EicCode.objects.get()
        assert (report.changed, code.long_name, code.active) == (1, "Autre nom", False)
        assert code.parent == "10X1001A1001A450"  # the second file has no such column
        assert code.search_text.endswith("autre nom")
        event = AuditEvent.objects.get(action="eic.changed")
        assert event.before == {"long_name": "Nom complet", "active": True}

    def test_never_changes_what_was_issued_here(self, world: World) -> None:
        request = make_request(world.alice)
        code = accept_eic_request(
            request=request, body="ACME-ENERGIE", actor=world.operateur, now=world.now
        ).code
        assert code is not None
        report = bring(world, {"code": code.pk})
        assert told(report) == [(2, "issued_here")]
        code.refresh_from_db()
        assert (code.long_name, code.source) == ("ACME Énergie", "issued")

    def test_links_companies_that_are_here(self, world: World) -> None:
        report = bring(
            world,
            {"code": VALID[0], "siren": "111 222 337"},
            {"code": VALID[2], "siren": "732829320"},
            {"code": VALID[3], "siren": "12"},
        )
        assert told(report) == [(3, "unknown_company"), (4, "unknown_company")]
        assert organisation_eic_code(world.acme) == EicCode.objects.get(pk=VALID[0])
        other = bring(world, {"code": VALID[0], "siren": "123456782"})
        assert told(other) == [(2, "other_company")]
        assert organisation_eic_code(world.client_b) is None

    def test_shortens_names_that_are_too_long_and_says_so(self, world: World) -> None:
        report = bring(world, {"code": VALID[0], "display_name": "A" * 20, "long_name": "B" * 80})
        code = EicCode.objects.get()
        assert (code.display_name, code.long_name) == ("A" * 16, "B" * 70)
        assert told(report) == [(2, "shortened"), (2, "shortened")]

    def test_is_for_the_operators_staff(self, world: World) -> None:
        with pytest.raises(NotAllowed):
            import_eic_codes([], name="a.csv", actor=world.alice, now=world.now)
