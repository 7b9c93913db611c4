"""Asking a company to act for it, and its administrators' answer.

Who asks names a SIREN, or writes the name, and learns nothing by it: a request to a company that is not here waits and
expires like one that nobody answered; so does a name that is not written in good part, or that several companies have.
Nor by how long it takes: asking and taking back write the request alone. The worker finds its company, writes its
history and to its administrators (`pass_on_requests`); whoever manages its users accepts or refuses.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import parse_siren
from gridgate.core.text import line, name_words
from gridgate.onboarding.events import join_answered, join_asked
from gridgate.onboarding.models import JoinRequest, JoinRequestState
from gridgate.organisations.authority import require_user_manager
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import (
    Membership,
    Organisation,
    User,
    UserGroup,
)
from gridgate.organisations.operations.members import (
    InvalidMember,
    MembershipExists,
    add_member,
    require_last_day,
)

LONGEST_TEXT = 300
LONGEST_NAME = 120
SHORTEST_NAME = 3
"""Letters and digits of a name without its legal form."""
IN_GOOD_PART = 0.75
"""How much of a company's name must be written: nobody finds out by a word or two who is here."""
_LEGAL_FORMS = frozenset(
    {"sa", "sas", "sasu", "sarl", "eurl", "sci", "snc", "sca", "scop", "gie", "se"}
    | {"ltd", "plc", "inc", "llc", "gmbh", "ag", "kg", "bv", "nv", "spa", "srl", "sl"}
)
MOST_OPEN = 5
"""How many of a person's requests wait at once."""


class JoinRequestOpen(GridgateError):
    """The person asked this company already, and waits."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.CONFLICT, "this company was asked already, and has not answered")


class TooManyJoinRequests(GridgateError):
    """So many of the person's requests wait."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.CONFLICT, f"{MOST_OPEN} requests wait already")


class JoinRequestClosed(GridgateError):
    """It was answered or withdrawn, or has expired."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.CONFLICT, "this request was answered or withdrawn, or has expired")


class FromDirectory(GridgateError):
    """The company's own directory adds the people of this e-mail domain."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.CONFLICT, "people of this domain come from the company's directory")


class JoinRequestNotFound(GridgateError):
    """None of the actor's company, or of the person."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.NOT_FOUND, "no such request")


class NameTooShort(GridgateError):
    """Too little to be a company's name."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.INVALID, f"a name has {SHORTEST_NAME} letters or digits at least")


def ask_to_join(
    *, user: User, siren: str = "", name: str = "", message: str = "", now: datetime
) -> JoinRequest:
    """Ask the company of this SIREN or, without one, of this name, be it here or not. Raises `InvalidIdentifier`,
    `NameTooShort`, `MembershipExists`, `JoinRequestOpen` and `TooManyJoinRequests`: nothing that depends on other
    people's companies, which no statement looks at.
    """
    name, message = line(name)[:LONGEST_NAME], line(message)[:LONGEST_TEXT]
    if siren or not name:
        siren, name = parse_siren(siren), ""
    elif len("".join(_words(name))) < SHORTEST_NAME:
        raise NameTooShort
    with transaction.atomic():
        if any(_is_asked(one, siren=siren, name=name) for one in _companies_of(user, now)):
            raise MembershipExists(f"{user.email} already acts for this company")
        own = _open_ones().filter(user=user)
        own.filter(siren=siren, name=name, expires_at__lte=now).update(withdrawn_at=now)
        waiting = list(own.filter(expires_at__gt=now))
        if len(waiting) >= MOST_OPEN:
            raise TooManyJoinRequests
        if name and any(_words(one.name) == _words(name) for one in waiting):
            raise JoinRequestOpen
        try:
            with transaction.atomic():
                return JoinRequest.objects.create(
                    user=user,
                    siren=siren,
                    name=name,
                    message=message,
                    created_at=now,
                    expires_at=now + timedelta(days=settings.ENVIRONMENT.join_request_days),
                )
        except IntegrityError:
            raise JoinRequestOpen from None


def withdraw(*, user: User, pk: int, now: datetime) -> None:
    """Take one's own request back. Raises `JoinRequestNotFound` and `JoinRequestClosed`."""
    with transaction.atomic():
        asked = _locked(JoinRequest.objects.filter(user=user), pk, now)
        asked.withdrawn_at, asked.to_pass_on = now, True
        asked.save(update_fields=["withdrawn_at", "to_pass_on"])


def pass_on_requests(*, now: datetime) -> int:
    """Tell companies what they were asked, and what was taken back; returns how many requests were looked at.

    One that cannot be passed on holds up no other: its error is raised once all were looked at.
    """
    waiting = list(JoinRequest.objects.filter(to_pass_on=True).order_by("pk").values_list("pk", flat=True))
    failed: list[Exception] = []
    for pk in waiting:
        try:
            with transaction.atomic():
                rows = JoinRequest.objects.select_for_update(of=("self",)).select_related("user")
                asked = rows.filter(pk=pk, to_pass_on=True).first()  # another worker's by now
                if asked is not None:
                    _close_if_over(asked, now)
                    _pass_on(asked, now)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the next one is another person's
            failed.append(error)
    if failed:
        raise failed[0]
    return len(waiting)


def accept(
    *,
    pk: int,
    actor: Membership,
    external: bool = False,
    until: datetime | None = None,
    groups: Iterable[UserGroup] = (),
    now: datetime,
) -> Membership:
    """Let the person act for the company, as a user, in these groups.

    Raises `NotAllowed`, `JoinRequestNotFound`, `JoinRequestClosed`, `MembershipExists`, `LastDayPast` and
    `FromDirectory`.
    """
    require_user_manager(actor, actor.organisation)
    groups = list(groups)
    if any(group.organisation_id != actor.organisation_id for group in groups):
        raise InvalidMember("a member belongs to groups of their own company")
    require_last_day(until, role=Membership.Role.USER, now=now)
    with transaction.atomic():
        asked = _locked(requests_to_join(actor=actor), pk, now)
        if comes_from_directory(asked):
            raise FromDirectory
        membership = add_member(
            organisation=actor.organisation,
            email=asked.user.email,
            full_name=asked.user.full_name,
            external=external,
            until=until,
            groups=groups,
            actor=actor,
            now=now,
        )
        for other in _open_ones().filter(user=asked.user, to_pass_on=True).select_related("user"):
            if _company_of(other) == actor.organisation:
                _pass_on(other, now)  # or it would wait for an answer that has been given
        asked.accepted_at, asked.decided_by = now, actor
        asked.save(update_fields=["accepted_at", "decided_by"])
        _record("member.let_in", asked, actor=actor, now=now)
        _accept_others(asked, actor, now)
        join_answered.send(JoinRequest, asked=asked, until=until, now=now)
    return membership


def refuse(*, pk: int, actor: Membership, reason: str, now: datetime) -> JoinRequest:
    """Say no, and why. Raises `NotAllowed`, `JoinRequestNotFound`, `JoinRequestClosed` and, without a reason,
    `InvalidMember`.
    """
    require_user_manager(actor, actor.organisation)
    reason = line(reason)
    if not reason or len(reason) > LONGEST_TEXT:
        raise InvalidMember("the reason is missing or too long")
    with transaction.atomic():
        asked = _locked(requests_to_join(actor=actor), pk, now)
        asked.refused_at, asked.decided_by, asked.reason = now, actor, reason
        asked.save(update_fields=["refused_at", "decided_by", "reason"])
        _record("member.asked_in_refused", asked, actor=actor, after={"reason": reason}, now=now)
        join_answered.send(JoinRequest, asked=asked, until=None, now=now)
    return asked


# --- reads ------------------------------------------------------------------------------------------------


def requests_to_join(*, actor: Membership) -> QuerySet[JoinRequest]:
    """What the actor's company was asked, for those who manage its users; the latest first."""
    rows = JoinRequest.objects.select_related("user", "decided_by__user", "organisation")
    if not actor.has(EntitlementCode.USERS):
        return rows.none()
    return rows.filter(organisation=actor.organisation_id).order_by("-created_at", "-pk")


def waiting_to_join(*, actor: Membership, now: datetime) -> QuerySet[JoinRequest]:
    """Those that wait for an answer of the actor's company."""
    return requests_to_join(actor=actor).filter(
        withdrawn_at=None, accepted_at=None, refused_at=None, expires_at__gt=now
    )


def request_to_join(*, actor: Membership, pk: int) -> JoinRequest:
    """One of the actor's company. Raises `JoinRequestNotFound`."""
    found = requests_to_join(actor=actor).filter(pk=pk).first()
    if found is None:
        raise JoinRequestNotFound
    return found


def own_join_requests(*, user: User) -> QuerySet[JoinRequest]:
    """The person's, the latest first."""
    return user.join_requests.order_by("-created_at", "-pk")


def comes_from_directory(asked: JoinRequest) -> bool:
    """Whether the company's own directory is what adds people of the asker's e-mail domain."""
    company = asked.organisation
    if company is None:
        return False
    domain = asked.user.email.rpartition("@")[2].lower()
    return domain in company.email_domains and company.directory_tokens.filter(revoked_at=None).exists()


def _pass_on(asked: JoinRequest, now: datetime) -> None:
    known = asked.organisation_id is not None
    if not known and asked.state(now) is JoinRequestState.WAITING:
        asked.organisation = _company_of(asked)
    asked.to_pass_on = False
    asked.save(update_fields=["organisation", "to_pass_on"])
    if asked.organisation is None:
        return
    if known:
        if asked.withdrawn_at is not None:
            _record("member.asked_in_withdrawn", asked, user=asked.user, now=now)
        return
    _record("member.asked_in", asked, user=asked.user, after={"message": asked.message}, now=now)
    same = _open_ones().filter(user=asked.user, organisation=asked.organisation, expires_at__gt=now)
    told = same.exclude(pk=asked.pk).exists()
    administrators = [] if told else _administrators(asked.organisation, now)
    join_asked.send(JoinRequest, asked=asked, administrators=administrators, now=now)


def _close_if_over(asked: JoinRequest, now: datetime) -> None:
    """Nobody is asked to let in who is in by now, or whose account was closed: there is nothing to decide."""
    if asked.organisation_id is not None or asked.state(now) is not JoinRequestState.WAITING:
        return
    acting_for = {one.organisation_id for one in asked.user.memberships.present(now)}
    if not asked.user.is_active:
        asked.withdrawn_at = now
    elif acting_for and (company := _company_of(asked)) is not None and company.pk in acting_for:
        asked.accepted_at = now
    asked.save(update_fields=["withdrawn_at", "accepted_at"])


def _company_of(asked: JoinRequest) -> Organisation | None:
    return _company_named(asked.name) if asked.name else _companies().filter(siren=asked.siren).first()


def _accept_others(asked: JoinRequest, actor: Membership, now: datetime) -> None:
    """Whoever asked by name and by SIREN is let in once, and both are answered."""
    others = _open_ones().filter(user=asked.user, organisation=actor.organisation_id, expires_at__gt=now)
    for other in others.select_related("user"):
        other.accepted_at, other.decided_by = now, actor
        other.save(update_fields=["accepted_at", "decided_by"])
        _record("member.let_in", other, actor=actor, after={"why": "other_request"}, now=now)


def _companies() -> QuerySet[Organisation]:
    return Organisation.objects.filter(is_operator=False)


def _companies_of(user: User, now: datetime) -> QuerySet[Organisation]:
    return _companies().filter(memberships__in=user.memberships.present(now))


def _is_asked(company: Organisation, *, siren: str, name: str) -> bool:
    """Looked at by itself, so that what a person is told of their own companies depends on no other."""
    if not name:
        return company.siren == siren
    return _in_good_part(_words(name), _words(company.legal_name))


def _company_named(name: str) -> Organisation | None:
    """The one company of this name, written whole or in good part."""
    words = _words(name)
    having_all = _companies()
    for word in set(words):
        having_all = having_all.filter(search_text__contains=word)
    whole, part = [], []
    for pk, legal_name in having_all.values_list("pk", "legal_name").iterator():
        theirs = _words(legal_name)
        if words == theirs:
            whole.append(pk)
        elif _in_good_part(words, theirs):
            part.append(pk)
        if len(whole) > 1:
            return None
    found = whole or part
    return Organisation.objects.get(pk=found[0]) if len(found) == 1 else None


def _in_good_part(words: list[str], theirs: list[str]) -> bool:
    """Each word counts once, however often it is written."""
    once, theirs_once = set(words), set(theirs)
    return once <= theirs_once and len("".join(once)) >= IN_GOOD_PART * len("".join(theirs_once))


def _words(name: str) -> list[str]:
    """What tells a company's name from others': neither case, accents and punctuation nor the legal form.

    >>> _words("Électricité du Rhône, S.A.S.")
    ['electricite', 'du', 'rhone']
    """
    words = name_words(name)
    return [word for word in words if word not in _LEGAL_FORMS] or words


def _open_ones() -> QuerySet[JoinRequest]:
    return JoinRequest.objects.filter(withdrawn_at=None, accepted_at=None, refused_at=None)


def _locked(rows: QuerySet[JoinRequest], pk: int, now: datetime) -> JoinRequest:
    found = rows.select_for_update(of=("self",)).filter(pk=pk).first()
    if found is None:
        raise JoinRequestNotFound
    if found.state(now) is not JoinRequestState.WAITING:
        raise JoinRequestClosed
    return found


def _administrators(company: Organisation, now: datetime) -> list[Membership]:
    rows = company.memberships.present(now).filter(role=Membership.Role.ADMINISTRATOR, user__is_active=True)
    return list(rows.select_related("user", "organisation").order_by("pk"))


def _record(
    action: str,
    asked: JoinRequest,
    *,
    actor: Membership | None = None,
    user: User | None = None,
    after: Mapping[str, object] | None = None,
    now: datetime,
) -> None:
    """In the company's history; of a SIREN that is nobody's there is none."""
    record(
        action,
        subject=Subject("user", str(asked.user_id), asked.user.email),
        organisation=asked.organisation_id,
        actor=actor,
        user=user,
        after=after,
        now=now,
    )
