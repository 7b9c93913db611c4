"""EIC codes and requests for them, through the operations that the product uses."""

from datetime import datetime
from typing import Any

from gridgate.eic.asked import EicAsked
from gridgate.eic.codes import bodies_from, code_of
from gridgate.eic.models import EicCode, EicRequest
from gridgate.eic.operations.asking import begin_eic_request, codes_to_compare, submit_eic_request
from gridgate.eic.operations.register import add_eic_code
from gridgate.organisations.models import Membership, Organisation, User
from gridgate.organisations.operations.members import create_user
from tests.world import NOW

DETAILS = {
    "functions": ["producer"],
    "address": "3 rue du Bac, 69007 Lyon, France",
    "contact_name": "Alice",
    "contact_email": "alice@acme.example",
}
NAMES = {
    "type": "X",
    "display_name": "ACME-ENERGIE",
    "long_name": "ACME Énergie",
    "justification": "Nous vendons notre production sur le marché.",
}


def make_code(
    display_name: str,
    *,
    type: str = "X",  # noqa: A002  the field's own name
    office: str = "17",
    organisation: Organisation | None = None,
    long_name: str = "",
    now: datetime = NOW,
) -> EicCode:
    """A code of the register that this display name makes."""
    made = next(made for body in bodies_from(display_name) if (made := code_of(office, type, body)).valid)
    return add_eic_code(
        code=made.code,
        display_name=display_name,
        long_name=long_name or display_name,
        organisation=organisation,
        actor=None,
        now=now,
    )


def make_account(name: str = "Sans entreprise") -> User:
    """Somebody who acts for no company."""
    email = f"{name.lower().replace(' ', '-')}@example.org"
    return create_user(email=email, full_name=name, password=None, language="fr", now=NOW)


def make_asked(**changed: Any) -> EicAsked:
    """What a complete request for a code of type X says."""
    return EicAsked(**{**NAMES, "details": DETAILS, **changed})


def make_draft(
    member: Membership | None, *, user: User | None = None, now: datetime = NOW, **changed: Any
) -> EicRequest:
    asker = user or (member.user if member else None)
    assert asker is not None
    return begin_eic_request(asked=make_asked(**changed), user=asker, actor=member, now=now)


def make_request(
    member: Membership | None, *, user: User | None = None, now: datetime = NOW, **changed: Any
) -> EicRequest:
    """A request that was sent."""
    draft = make_draft(member, user=user, now=now, **changed)
    return send(draft, member, now=now)


def send(request: EicRequest, member: Membership | None, *, now: datetime = NOW) -> EicRequest:
    user = request.requester
    compared = [one.pk for one in codes_to_compare(EicAsked.of(request), user=user, actor=member)]
    return submit_eic_request(request=request, compared=compared, user=user, actor=member, now=now)
