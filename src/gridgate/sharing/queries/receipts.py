"""The receipts that an actor may see."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.folding import company_named_like
from gridgate.organisations.models import Membership
from gridgate.organisations.rights import perimeter_of
from gridgate.sharing.models import Permission, PermissionEvent, Receipt
from gridgate.sharing.queries.permissions import permissions_given
from gridgate.sharing.queries.reach import WHOLE, entitled, readable_one


def receipts_readable_by(*, actor: Membership) -> QuerySet[Receipt]:
    """Receipts that concern the actor's company, latest first: as holder for the entitled, as party for all.

    A receipt lists points; a restricted member of the holder sees it when all of them are in their perimeter.
    """
    if not actor.is_present():
        return Receipt.objects.none()
    mine = Q(eligible_party=actor.organisation_id)
    if entitled(actor):
        as_holder = Q(holder=actor.organisation_id)
        if not actor.reach(EntitlementCode.DATA_SERVICES).everything:
            spoken_of = Permission.objects.filter(receipts=OuterRef("pk"), holder=actor.organisation_id)
            whole = permissions_given(actor=actor).filter(WHOLE).values("pk")
            as_holder &= Q(Exists(spoken_of)) & ~Q(Exists(spoken_of.exclude(pk__in=whole)))
            as_holder &= ~Q(pk__in=_receipts_of_points_left_beyond(actor))
        mine |= as_holder
    return (
        Receipt.objects.filter(mine).select_related("holder", "eligible_party").order_by("-issued_at", "-pk")
    )


def receipt(*, actor: Membership, number: str) -> Receipt:
    """One receipt. Raises `NotReadable`."""
    return readable_one(receipts_readable_by(actor=actor).filter(number=number), "receipt")


def receipts_matching(receipts: QuerySet[Receipt], text: str) -> QuerySet[Receipt]:
    """Those whose number or companies match what a person typed."""
    digits = "".join(text.split())
    return receipts.filter(
        Q(number__icontains=digits)
        | company_named_like(text, "holder")
        | company_named_like(text, "eligible_party")
    )


def receipt_numbered(*, number: str) -> Receipt | None:
    """A signed receipt by its number, for whoever verifies a printed one: compare fingerprints, show nothing."""
    return Receipt.objects.filter(number=number).exclude(jws="").first()


def last_receipt(*, actor: Membership, permissions: QuerySet[Permission]) -> Receipt | None:
    """The latest receipt that speaks of one of these permissions."""
    spoken_of = receipts_readable_by(actor=actor)
    return spoken_of.filter(Exists(permissions.filter(receipts=OuterRef("pk")))).first()


def _receipts_of_points_left_beyond(actor: Membership) -> list[int]:
    """The receipts of points that permissions have lost, outside the actor's perimeter: the permissions name them no
    more, the receipts do.
    """
    perimeter = set(perimeter_of(actor, EntitlementCode.DATA_SERVICES))
    lost = PermissionEvent.objects.filter(permission__receipts=OuterRef("pk"), details__has_key="points_lost")
    told = Receipt.objects.filter(Exists(lost), holder=actor.organisation_id)
    return [
        pk
        for pk, payload in told.order_by().values_list("pk", "payload")
        if any(
            one["points"] == "all" or not perimeter.issuperset(one["points"])
            for one in payload["permissions"]
        )
    ]
