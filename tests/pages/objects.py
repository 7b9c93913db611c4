"""The objects that addresses name: ACME's, outside Bob's perimeter; for each, an absent one; and more of all of them."""

from datetime import date, timedelta
from itertools import count

from gridgate.accounts.models import LostFactor
from gridgate.core.sharing import PermissionState
from gridgate.directory.operations.tokens import create_token, revoke_token
from gridgate.eic.kind import EIC
from gridgate.eic.models import EicCode
from gridgate.eic.operations.register import deactivate_eic_code, reactivate_eic_code
from gridgate.kyc.models import KycAttachment
from gridgate.metering.imports.journal import check_file
from gridgate.onboarding import links
from gridgate.onboarding.operations.invitations import declare_first_administrator, invite
from gridgate.organisations.handles import handle_of, number_of
from gridgate.organisations.operations.companies import record_contract
from gridgate.requests.operations.life import return_request
from gridgate.sharing.models import PermissionPoint, PermissionRequest
from gridgate.sharing.operations.ending import revoke_permission
from gridgate.sharing.receipts.completing import complete
from tests.factories.audit import make_reads
from tests.factories.eic import make_code, make_draft, make_request
from tests.factories.kyc import make_begun, make_more
from tests.factories.metering import make_held_point
from tests.factories.organisations import make_group, make_join_request, make_member, make_organisation
from tests.factories.prepared_files import make_prepared_file
from tests.factories.sharing import make_permission, make_service
from tests.handles import handle
from tests.world import World

ABSENT = {
    "passkey": handle_of("passkey", 999999),
    "sign_in_link": handle_of("sign_in_link", 999999),
    "directory_token": handle_of("directory_token", 999999),
    "p3": "99999999999999",
    "tiers1_siren": "732829320",
    "permission": "00000000-0000-4000-8000-000000000000",
    "extendable": "00000000-0000-4000-8000-000000000000",
    "request": "00000000-0000-4000-8000-000000000000",
    "receipt": "R-0000-000000",
    "alice": handle_of("member", 999999),
    "service": "absent",
    "offered": "absent",
    "import": "999999",
    "activation": "1-1.absent",
    "eic_request": "EIC-2026-99999",
    "eic_code": "10X1001A1001A450",
    "desk": "EIC-2026-99998",
    "contract": "999999",
    "holding": "999999",
    "declaration": "999999",
    "member": handle_of("member", 999999),
    "group": handle_of("group", 999999),
    "invitation": handle_of("invitation", 999999),
    "join_request": handle_of("join_request", 999999),
    "kyc": "KYC-2026-99999",
    "kyc_document": handle_of("document", 999999),
    "prepared_file": handle_of("prepared_file", 999999),
}


def make_objects(world: World) -> dict[str, str]:
    """ACME lets Tiers 1 and Tiers 3 read p3, let Tiers 3 read p4 until today, and is asked by Tiers 2 for p3 and p4."""
    service = make_service(world.third_party_1, offered=False)
    offered = make_service(world.third_party_2, code="au-catalogue")
    permission = make_permission(service, world.acme, points=[world.p3], now=world.now)
    lasting = make_permission(make_service(world.third_party_3), world.acme, points=[world.p3], now=world.now)
    ended = make_permission(make_service(world.third_party_3), world.acme, points=[world.p4], now=world.now)
    receipt = revoke_permission(actor=world.alice, permission_id=ended.pk, now=world.now)
    complete(receipt, now=world.now)
    request = PermissionRequest.objects.create(
        service=offered,
        holder=world.acme,
        eligible_party=world.third_party_2,
        valid_until=(world.now + timedelta(days=365)).date(),
        state=PermissionState.VALIDATED,
        requested_at=world.now - timedelta(days=1),
    )
    request.points.set([world.p3, world.p4])
    invitation = invite(
        organisation=world.acme,
        email="denis@acme.example",
        full_name="Denis",
        actor=world.alice,
        now=world.now,
    )
    made = check_file(
        kind="points",
        name="points.csv",
        content=b"id,segment\n1,C5\n",
        user=world.operateur.user,
        now=world.now,
    )
    document = make_begun(world.alice, now=world.now)
    return {
        "passkey": handle_of("passkey", 1),
        "sign_in_link": handle_of("sign_in_link", 1),
        "kyc": document.questionnaire.number,
        "kyc_document": handle(document),
        "p3": world.p3.pk,
        "prepared_file": handle(make_prepared_file(world.alice, [world.p3.pk], now=world.now)),
        "tiers1_siren": world.third_party_1.siren,
        "permission": str(permission.pk),
        "extendable": str(lasting.pk),
        "request": str(request.pk),
        "receipt": receipt.number,
        "alice": handle(world.alice),
        "service": service.code,
        "offered": offered.code,
        "import": str(made.pk),
        "eic_request": make_draft(world.alice, now=world.now).number,
        "eic_code": make_code("ZONE-ACME", type="Y", organisation=world.acme).pk,
        "activation": links.token_of(invitation),
        "member": handle(world.bob),
        "group": handle(world.acme.groups.get(name="Site de Lyon")),
        "invitation": handle(invitation),
        "join_request": handle(make_join_request(world.charlie.user, world.acme, now=world.now)),
        "directory_token": handle(
            create_token(organisation=world.acme, name="Annuaire", actor=world.alice, now=world.now)[0]
        ),
        **make_operator_objects(world),
    }


def make_operator_objects(world: World) -> dict[str, str]:
    """What the operator acts on: a request and a contract of ACME's, its title on p3, a declaration for Tiers 2."""
    since = date(2025, 1, 1)
    contract = record_contract(organisation=world.acme, number="CART-ACME", valid_from=since, now=world.now)
    record_contract(organisation=world.third_party_2, number="CART-T2", valid_from=since, now=world.now)
    make_code("TIERS-2", organisation=world.third_party_2)
    declaration = declare_first_administrator(
        organisation=world.third_party_2,
        email="direction@tiers-2.example",
        full_name="Direction",
        now=world.now,
    )
    return {
        "desk": make_request(world.alice, display_name="ACME-BUREAU", long_name="Atelier").number,
        "contract": str(contract.pk),
        "holding": str(world.p3.holdings.get().pk),
        "declaration": str(declaration.pk),
    }


_numbers = count()


def grow(world: World, objects: dict[str, str]) -> None:
    """Six more, or three, of everything that pages list; called twice, it doubles them."""
    now = world.now
    points = [make_held_point(world.acme, label=f"Site {number}") for number in range(6)]
    PermissionPoint.objects.bulk_create(
        PermissionPoint(permission_id=objects["permission"], metering_point=point) for point in points
    )
    for number in range(3):
        party = make_organisation(f"Tiers de plus {number}")
        service = make_service(party, f"Service {number}")
        for state in (PermissionState.ACTIVE, PermissionState.EXPIRED):
            make_permission(service, world.acme, points=points, state=state, now=now)
        make_permission(make_service(world.third_party_1, f"Autre {number}"), world.acme, now=now)
        make_permission(make_service(party, f"Fini {number}"), world.client_b, now=now)
        make_permission(make_service(world.third_party_1), make_organisation(f"Client {number}"), now=now)
        gone = make_permission(make_service(world.third_party_3), world.acme, points=points, now=now)
        complete(revoke_permission(actor=world.alice, permission_id=gone.pk, now=now), now=now)
        PermissionRequest.objects.create(
            service=service,
            holder=world.acme,
            eligible_party=party,
            all_points=True,
            valid_until=(now + timedelta(days=200)).date(),
            state=PermissionState.VALIDATED,
            requested_at=now,
        )
        for point in (world.p1, world.p3, *points):
            make_reads(party, point, world.acme, at=now - timedelta(hours=number + 1))
        member = make_member(world.acme, f"Membre {next(_numbers)}")
        people = [member, world.bob]
        group = make_group(world.acme, f"Groupe {next(_numbers)}", people, {"contracts": [world.p1.pk]})
        email = f"invite{next(_numbers)}@acme.example"
        invite(organisation=world.acme, email=email, full_name="Invité", groups=[group], now=now)
        make_join_request(make_member(party, "Camille").user, world.acme, now=now)
        LostFactor.objects.create(
            user=member.user,
            how=LostFactor.How.IN_PERSON,
            note="Carte d’identité",
            checked_by=world.operateur,
            created_at=now,
            confirmable_at=now,
            expires_at=now + timedelta(days=3),
        )
        for _ in "ab":
            name = f"Annuaire {next(_numbers)}"
            token, _secret = create_token(organisation=world.acme, name=name, actor=world.alice, now=now)
        revoke_token(token=token, actor=world.alice, now=now)
        make_code(f"ACME {next(_numbers)}", organisation=world.acme)
        make_request(world.alice, display_name=f"ACME-{next(_numbers)}", long_name="Atelier")
        asked = make_request(world.alice, display_name=f"ACME-{next(_numbers)}", long_name="Atelier")
        return_request(EIC, asked, reason="Où est-ce ?", actor=world.operateur, now=now)
        record_contract(
            organisation=world.acme,
            number=f"CART-{next(_numbers)}",
            valid_from=now.date(),
            actor=world.operateur,
            now=now,
        )
        code = EicCode.objects.get(pk=objects["eic_code"])
        deactivate_eic_code(code=code, reason="Doute", actor=None, now=now)
        reactivate_eic_code(code=code, reason="Erreur", actor=None, now=now)
        make_more(KycAttachment.objects.get(pk=number_of("document", objects["kyc_document"])), 3, now=now)
        make_prepared_file(world.alice, [world.p1.pk], now=now)
        check_file(
            kind="points", name="a.csv", content=b"id,segment\n1,C5\n", user=world.operateur.user, now=now
        )
