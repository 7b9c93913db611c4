"""The history of rights is a chain: what is altered, left out or put in shows."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction

from gridgate.audit.events import Subject, broken_links, changed, record
from gridgate.audit.models import AuditEvent

GROUP = Subject("group", "1", "Énergie")


@pytest.fixture
def chain(world):
    """Five events, one of them at an instant given in another zone."""
    AuditEvent.objects.count()
    for number in range(5):
        now = world.now + timedelta(minutes=number)
        record(
            "group.renamed",
            subject=GROUP,
            organisation=world.acme.pk,
            actor=world.alice,
            before={"name": f"Énergie {number}", "members": ["b", "a"]},
            after={"name": f"Énergie {number + 1}"},
            now=now.astimezone(ZoneInfo("Pacific/Auckland")) if number == 2 else now,
        )
    return list(AuditEvent.objects.order_by("-pk")[:5])[::-1]


def test_holds_as_it_was_written(chain):
    assert list(broken_links()) == []
    assert chain[0].hash == chain[1].previous
    assert len({event.hash for event in chain}) == 5


def test_names_who_acted_and_for_whom_as_they_were(world, chain):
    event = record(
        "contract.recorded", subject=GROUP, organisation=world.acme.pk, actor=world.operateur, now=world.now
    )
    assert (event.user_name, event.acting_for_name) == ("Olivier", "Réseau Démo")
    alone = record("invitation.expired", subject=GROUP, organisation=world.acme.pk, now=world.now)
    assert (alone.user, alone.user_name, alone.acting_for) == (None, "", None)


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_neither_changes_nor_goes(chain, verb):
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        getattr(AuditEvent.objects.filter(pk=chain[0].pk), verb)(
            **({"action": "x"} if verb == "update" else {})
        )


@pytest.mark.parametrize(
    ("forgery", "shows_at"),
    [
        ("UPDATE audit_auditevent SET user_name = 'Bob' WHERE id = {1}", 1),
        ("UPDATE audit_auditevent SET at = '2020-01-01 00:00:00' WHERE id = {3}", 3),
        ("UPDATE audit_auditevent SET before = '{{}}' WHERE id = {2}", 2),
        ("DELETE FROM audit_auditevent WHERE id = {1}", 2),
        ("UPDATE audit_auditevent SET organisation = NULL WHERE id = {4}", 4),
    ],
    ids=["who", "when", "before", "left out", "whose"],
)
def test_shows_what_was_forged(chain, forgery, shows_at):
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_auditevent_no_update")
        cursor.execute("DROP TRIGGER audit_auditevent_no_delete")
        cursor.execute(forgery.format(*(event.pk for event in chain)))
    assert [event.pk for event in broken_links()] == [chain[shows_at].pk]


def test_tells_only_what_changed():
    assert changed({"role": "user"}, {"role": "user"}) == ({}, {})
    assert changed({}, {"name": "Lyon"}) == ({"name": None}, {"name": "Lyon"})
