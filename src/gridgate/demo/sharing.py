"""What is shared in the demo world: permissions given, ended and asked for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db.models import Model

from gridgate.demo import cast
from gridgate.demo.services import create_services
from gridgate.demo.terms import accept_terms_in_force
from gridgate.organisations.models import Membership, Organisation
from gridgate.organisations.operations.members import add_member
from gridgate.sharing.models import Permission, PermissionRequest
from gridgate.sharing.operations.ending import revoke_permission
from gridgate.sharing.operations.granting import grant, subscribe
from gridgate.sharing.operations.requesting import request_permission
from gridgate.sharing.receipts.completing import complete


def seed_sharing(
    organisations: dict[str, Organisation], members: Mapping[str, Membership], at: Callable[..., datetime]
) -> None:
    with _same_ids(Permission, PermissionRequest):
        _share(organisations, members, at)


def _share(
    organisations: dict[str, Organisation], members: Mapping[str, Membership], at: Callable[..., datetime]
) -> None:
    services = create_services(organisations)
    alice = members["alice"]
    for name in (cast.ACME[0], cast.CLIENT_B[0], cast.CLIENT_C[0]):
        grant(
            service=services["releve-et-facturation"],
            holder=organisations[name],
            points=None,
            reason="Mission de service public",
            now=at(365 * cast.YEARS),
        )
    past = subscribe(
        actor=alice,
        service=services["tiers3-autoconsommation"],
        points=list(cast.TIERS_3_POINTS[:3]),
        valid_until=at(200, 0),
        now=at(400),
    )
    ended = at(260, 16, 42)
    complete(revoke_permission(actor=alice, permission_id=past.pk, now=ended), now=ended)
    subscribe(
        actor=alice,
        service=services["tiers1-suivi"],
        points=list(cast.TIERS_1_POINTS),
        valid_until=at(-470, 0),
        now=at(258),
    )
    subscribe(
        actor=alice,
        service=services["tiers2-effacement"],
        points=list(cast.TIERS_2_POINTS),
        valid_until=at(-281, 0),
        now=at(84),
    )
    subscribe(
        actor=alice,
        service=services["tiers3-audit"],
        points=list(cast.TIERS_3_POINTS),
        valid_until=at(-23, 0),
        now=at(342),
    )
    subscribe(
        actor=members["charlie"],
        service=services["tiers1-suivi"],
        points=None,
        valid_until=at(-120, 0),
        now=at(245),
    )
    tiers_3 = add_member(
        organisation=organisations["Tiers 3"],
        email=f"tiers3@{cast.host_of('Tiers 3')}",
        full_name="Tiers 3, développement",
        role="administrator",
        password=cast.PASSWORD,
        now=at(342),
    )
    accept_terms_in_force(tiers_3, at(342))
    request_permission(
        requester=tiers_3,
        service=services["tiers3-autoconsommation"],
        holder=organisations[cast.ACME[0]],
        points=list(cast.TIERS_3_POINTS[:5]),
        valid_until=at(-180, 0),
        message="Pour chiffrer une toiture solaire sur le site de Lyon Gerland.",
        now=at(2, 10, 5),
    )


@contextmanager
def _same_ids(*models: type[Model]) -> Iterator[None]:
    """Number the rows that are made meanwhile in order, so that the same world has the same ids on every run."""
    fields = [model._meta.get_field("id") for model in models]
    for field in fields:
        numbers = count(1)
        label = field.model.__name__

        def numbered(label: str = label, numbers: Iterator[int] = numbers) -> UUID:
            return uuid5(NAMESPACE_URL, f"gridgate demo {label} {next(numbers)}")

        vars(field)["_get_default"] = numbered  # in front of Django's cached property of that name
    try:
        yield
    finally:
        for field in fields:
            del vars(field)["_get_default"]
