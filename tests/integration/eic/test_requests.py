"""Asking for an EIC code: drafts, what keeps a request from being sent, and the code that accepting makes."""

from datetime import timedelta

import pytest

from gridgate.audit.models import AuditEvent
from gridgate.eic.asked import AskedFault, EicAsked, faults_of
from gridgate.eic.codes import examine
from gridgate.eic.kind import EIC
from gridgate.eic.models import EicCode, EicRequest
from gridgate.eic.operations.asking import (
    InvalidEicRequest,
    SimilarCodesUnseen,
    begin_eic_request,
    change_eic_request,
    submit_eic_request,
)
from gridgate.eic.operations.importing import import_eic_codes
from gridgate.eic.operations.issuing import (
    EicCodeTaken,
    InvalidEicBody,
    accept_eic_request,
    propose_body,
)
from gridgate.eic.queries import (
    code_named,
    codes_readable_by,
    organisation_eic_code,
    similar_codes,
)
from gridgate.organisations.authority import NotAllowed
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.requests.kinds import RequestNotFound
from gridgate.requests.operations.life import RequestNotOpen, return_request, withdraw_request
from tests.factories.eic import make_account, make_asked, make_code, make_draft, make_request, send
from tests.factories.organisations import make_group
from tests.world import World


def said(asked: EicAsked) -> dict[str, AskedFault]:
    return {wrong.where: wrong.fault for wrong in faults_of(asked)}


class TestADraft:
    def test_keeps_what_was_typed_however_little(self, world: World) -> None:
        draft = begin_eic_request(
            asked=EicAsked(long_name="ACME"), user=world.alice.user, actor=world.alice, now=world.now
        )
        assert (draft.number, draft.state, draft.organisation) == ("EIC-2026-00001", "draft", world.acme)
        change_eic_request(
            request=draft, asked=make_asked(type="Z"), user=world.alice.user, actor=world.alice
        )
        draft.refresh_from_db()
        assert (draft.type, draft.display_name) == ("Z", "ACME-ENERGIE")
        assert draft.details["functions"] == ["producer"]  # not asked for a Z, kept while it may change

    def test_refuses_what_no_column_holds(self, world: World) -> None:
        with pytest.raises(InvalidEicRequest) as refused:
            make_draft(world.alice, display_name="A" * 17, long_name="B" * 71)
        assert [(wrong.where, wrong.longest) for wrong in refused.value.faults] == [
            ("display_name", 16),
            ("long_name", 70),
        ]
        assert not EicRequest.objects.exists()

    def test_is_for_those_who_may_make_requests(self, world: World) -> None:
        for nobody in (world.acme_user, world.operateur):
            with pytest.raises(NotAllowed):
                make_draft(nobody)
        make_group(world.acme, "Démarches", [world.acme_user], {EntitlementCode.REQUESTS: None})
        assert make_draft(world.membership("acme_user")).organisation == world.acme

    def test_is_changed_by_its_company_only(self, world: World) -> None:
        draft = make_draft(world.alice)
        for other in (world.charlie, world.acme_user):
            with pytest.raises(RequestNotFound):
                change_eic_request(request=draft, asked=make_asked(), user=other.user, actor=other)
        with pytest.raises(RequestNotFound):  # the same person, acting for no company
            change_eic_request(request=draft, asked=make_asked(), user=world.alice.user, actor=None)

    def test_is_not_changed_once_sent(self, world: World) -> None:
        request = make_request(world.alice)
        with pytest.raises(RequestNotOpen):
            change_eic_request(request=request, asked=make_asked(), user=world.alice.user, actor=world.alice)


class TestAPersonWithoutACompany:
    def test_asks_for_themselves_and_reads_their_own_only(self, world: World) -> None:
        user, other = make_account(), make_account("Autre")
        request = make_request(None, user=user)
        assert (request.state, request.organisation) == ("submitted", None)
        assert list(EIC.of(user=user, actor=None)) == [request]
        assert not EIC.of(user=other, actor=None).exists()
        assert not EIC.of(user=world.alice.user, actor=world.alice).exists()


class TestWhatKeepsARequestFromBeingSent:
    def test_nothing_when_it_is_complete(self, world: World) -> None:
        assert faults_of(make_asked()) == []

    def test_each_thing_that_lacks_or_will_not_do(self, world: World) -> None:
        assert said(EicAsked()) == {
            "type": AskedFault.MISSING,
            "display_name": AskedFault.MISSING,
            "long_name": AskedFault.MISSING,
        }
        assert said(EicAsked(type="X", display_name="Acme énergie", long_name="ACME")) == {
            "display_name": AskedFault.CHARACTERS,
            "justification": AskedFault.MISSING,
            "details.functions": AskedFault.MISSING,
            "details.address": AskedFault.MISSING,
            "details.contact_name": AskedFault.MISSING,
            "details.contact_email": AskedFault.MISSING,
        }
        details = {
            "functions": ["king"],
            "address": "x" * 301,
            "contact_name": "Alice",
            "contact_email": "alice",
            "vat_number": "FR 12",
        }
        assert said(make_asked(details=details)) == {
            "details.functions": AskedFault.ANSWER,
            "details.vat_number": AskedFault.ANSWER,
            "details.address": AskedFault.TOO_LONG,
            "details.contact_email": AskedFault.ANSWER,
        }

    @pytest.mark.parametrize("letter", "YZWTA")
    def test_types_that_need_a_responsible_party(self, world: World, letter: str) -> None:
        assert said(make_asked(type=letter, responsible_party=""))["responsible_party"] == AskedFault.MISSING
        assert "responsible_party" not in said(make_asked(type=letter, responsible_party="10XFR-RTE------Q"))

    @pytest.mark.parametrize("letter", "XV")
    def test_types_that_need_none(self, world: World, letter: str) -> None:
        assert "responsible_party" not in said(make_asked(type=letter))

    @pytest.mark.parametrize(
        ("code", "fault"),
        [
            ("10XFR-RTE------R", AskedFault.NOT_A_CODE),
            ("10XFR-RTE", AskedFault.NOT_A_CODE),
            ("10YFR-RTE------C", AskedFault.NOT_A_PARTY),
        ],
    )
    def test_a_responsible_party_is_the_code_of_a_party(
        self, world: World, code: str, fault: AskedFault
    ) -> None:
        assert said(make_asked(type="Z", responsible_party=code))["responsible_party"] == fault

    def test_a_code_that_fails_its_check_is_taken_when_the_register_has_it(self, world: World) -> None:
        from gridgate.eic.operations.importing import import_eic_codes

        wrong = "17X100A157F0022N"
        assert said(make_asked(type="Z", responsible_party=wrong))["responsible_party"] == "not_a_code"
        published = {"code": wrong, "display_name": "A157F", "long_name": "A157F"}
        import_eic_codes([(2, published)], name="X_eicCodes.csv", now=world.now)
        assert "responsible_party" not in said(make_asked(type="Z", responsible_party=wrong))

    def test_a_display_name_that_a_code_has(self, world: World) -> None:
        code = make_code("ACME-ENERGIE", type="Y", office="10")
        fault = next(wrong for wrong in faults_of(make_asked()) if wrong.where == "display_name")
        assert (fault.fault, fault.code) == (AskedFault.TAKEN, code)

    def test_it_is_checked_again_when_it_is_sent(self, world: World) -> None:
        draft = make_draft(world.alice, long_name="")
        with pytest.raises(InvalidEicRequest) as refused:
            submit_eic_request(
                request=draft, compared=[], user=world.alice.user, actor=world.alice, now=world.now
            )
        assert refused.value.where == "long_name"
        assert EicRequest.objects.get().state == "draft"


class TestTheSearchBeforeAsking:
    def test_a_request_is_not_sent_before_close_codes_were_compared(self, world: World) -> None:
        close = make_code("ACMEENERGIE", long_name="ACME Energie SA", office="22")
        make_code("BOREAL", long_name="Boréal Réseaux", office="22")
        draft = make_draft(world.alice)
        for compared in ([], ["22XBOREAL-------"]):
            with pytest.raises(SimilarCodesUnseen) as refused:
                submit_eic_request(
                    request=draft, compared=compared, user=world.alice.user, actor=world.alice, now=world.now
                )
            assert refused.value.codes == [close]
        sent = submit_eic_request(
            request=draft, compared=[close.pk], user=world.alice.user, actor=world.alice, now=world.now
        )
        assert sent.state == "submitted"

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            ("acme énergie", ["ACMEENERGIE", "ACME-EN"]),
            ("ACME", ["ACMEENERGIE", "ACME-EN"]),
            ("Acme Energies", ["ACMEENERGIE", "ACME-EN"]),
            ("Boreal", ["BOREAL"]),
            ("SA", []),
            ("Zéphyr", []),
        ],
    )
    def test_finds_names_that_are_close(self, world: World, name: str, found: list[str]) -> None:
        make_code("ACMEENERGIE", long_name="ACME Energie SA", office="22")
        make_code("ACME-EN", long_name="Acmé Énergie Négoce", office="22")
        make_code("BOREAL", long_name="Boréal Réseaux SA", office="22")
        close = similar_codes(EicCode.objects.all(), name)
        assert sorted(one.display_name for one in close) == sorted(found)

    def test_the_closest_is_among_them_however_many_share_a_word(self, world: World) -> None:
        lines = [
            (
                number,
                {
                    "code": f"11X{number:05}-------0",
                    "display_name": f"ACME-WIND-{number}",
                    "long_name": "Acme Wind",
                },
            )
            for number in range(300)
        ]
        import_eic_codes(lines, name="a.csv", now=world.now)
        wanted = make_code("ACME-IND", long_name="ACME Industries et Compagnie", office="22")
        assert similar_codes(EicCode.objects.all(), "ACME-IND")[0] == wanted
        assert similar_codes(EicCode.objects.all(), "Acme Industries")[0] == wanted

    def test_names_no_code_that_the_asker_may_not_look_up(self, world: World) -> None:
        """The codes of measurement points are their company's own: nobody learns of them by asking."""
        hidden = make_code("ACME-ENERGIES", type="Z", organisation=world.client_b)
        assert hidden not in codes_readable_by(user=world.alice.user, actor=world.alice)
        assert hidden in codes_readable_by(user=world.charlie.user, actor=world.charlie)
        assert hidden in codes_readable_by(user=world.operateur.user, actor=world.operateur)
        assert make_request(world.alice).state == "submitted"  # and none had to be compared


class TestSending:
    def test_leaves_out_what_the_type_does_not_ask(self, world: World) -> None:
        draft = make_draft(world.alice, responsible_party="10XFR-RTE------Q", type="X")
        sent = send(draft, world.alice)
        assert sent.responsible_party == ""

    def test_returned_is_completed_and_sent_again(self, world: World) -> None:
        request = make_request(world.alice)
        return_request(EIC, request, reason="Quel marché ?", actor=world.operateur, now=world.now)
        change_eic_request(
            request=request,
            asked=make_asked(justification="Le marché spot."),
            user=world.alice.user,
            actor=world.alice,
        )
        again = send(request, world.alice, now=world.now + timedelta(days=1))
        assert (again.state, again.reason, again.justification) == ("submitted", "", "Le marché spot.")

    def test_withdrawn_is_not_sent_again(self, world: World) -> None:
        request = make_request(world.alice)
        withdraw_request(EIC, request, user=world.alice.user, actor=world.alice, now=world.now)
        with pytest.raises(RequestNotOpen):
            send(request, world.alice)


class TestTheCodeThatIsIssued:
    def test_is_the_companys_with_what_was_asked(self, world: World) -> None:
        request = make_request(world.alice)
        body = propose_body(request)
        accepted = accept_eic_request(request=request, body=body, actor=world.operateur, now=world.now)
        code = EicCode.objects.get()
        assert accepted.code == code
        assert examine(code.pk).valid
        assert code.pk.startswith("17XACME-ENERGIE")
        assert (code.type, code.display_name, code.long_name) == ("X", "ACME-ENERGIE", "ACME Énergie")
        assert (code.organisation, code.source, code.active, code.issued_at) == (
            world.acme,
            "issued",
            True,
            world.now,
        )
        assert code.details["functions"] == ["producer"]
        assert organisation_eic_code(world.acme) == code

    def test_is_told_to_the_company_with_who_issued_it(self, world: World) -> None:
        request = make_request(world.alice)
        accept_eic_request(request=request, body="ACME-ENERGIE", actor=world.operateur, now=world.now)
        event = AuditEvent.objects.get(action="eic.issued")
        assert (event.organisation, event.acting_for_name) == (world.acme.pk, "Réseau Démo")
        assert event.after["request"] == request.number
        assert AuditEvent.objects.filter(action="eic.accepted").exists()

    @pytest.mark.parametrize(
        ("body", "fault"), [("ACME", "length"), ("ACME_ENERGIE", "characters"), ("AAAAAAAAAAAAA", "length")]
    )
    def test_needs_twelve_characters_of_the_alphabet(self, world: World, body: str, fault: str) -> None:
        request = make_request(world.alice)
        with pytest.raises(InvalidEicBody) as refused:
            accept_eic_request(request=request, body=body, actor=world.operateur, now=world.now)
        assert refused.value.examined.fault == fault
        assert EicRequest.objects.get().state == "submitted"

    def test_is_never_one_that_there_is(self, world: World) -> None:
        first = make_request(world.alice)
        accept_eic_request(request=first, body="ACME-ENERGIE", actor=world.operateur, now=world.now)
        second = make_request(world.charlie, display_name="ACME-ENERGIES", long_name="Autre")
        assert propose_body(second) != "ACME-ENERGIE"
        with pytest.raises(EicCodeTaken):
            accept_eic_request(request=second, body="ACME-ENERGIE", actor=world.operateur, now=world.now)
        second.refresh_from_db()
        assert (second.state, second.code, EicCode.objects.count()) == ("submitted", None, 1)

    def test_has_a_display_name_of_its_own_at_that_moment(self, world: World) -> None:
        one, other = make_request(world.alice), make_request(world.charlie)
        accept_eic_request(request=one, body="ACME-ENERGIE", actor=world.operateur, now=world.now)
        with pytest.raises(EicCodeTaken):
            accept_eic_request(request=other, body="ACME-------2", actor=world.operateur, now=world.now)
        assert code_named("acme-energie") == EicCode.objects.get()

    def test_is_issued_by_the_operators_staff_only_and_once(self, world: World) -> None:
        request = make_request(world.alice)
        with pytest.raises(NotAllowed):
            accept_eic_request(request=request, body="ACME-ENERGIE", actor=world.alice, now=world.now)
        accept_eic_request(request=request, body="ACME-ENERGIE", actor=world.operateur, now=world.now)
        with pytest.raises(RequestNotOpen):
            accept_eic_request(request=request, body="ACME-------2", actor=world.operateur, now=world.now)
        assert EicCode.objects.count() == 1
