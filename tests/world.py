"""The cast that tests speak of, and the fixture `world` that brings it on.

alice      first administrator of ACME Industries
bob        ACME, entitled to the data services, and restricted to p1 and p2
acme_user  ACME, entitled to nothing but consulting, sees all its points
charlie    administrator of another company, Client B
tiers1     administrator of the third party Tiers 1
operateur  staff of the network operator

The world stands at a fixed instant, for the code under test too: `world.now`.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, TypeVar

import pytest
import time_machine

if TYPE_CHECKING:
    from django.test import Client

    from gridgate.metering.models import MeteringPoint
    from gridgate.organisations.models import Membership, Organisation

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
Made = TypeVar("Made")
PASSWORD = "un mot de passe assez long"


@dataclass(frozen=True)
class World:
    now: datetime

    operator: "Organisation"
    acme: "Organisation"
    client_b: "Organisation"
    third_party_1: "Organisation"
    third_party_2: "Organisation"
    third_party_3: "Organisation"

    alice: "Membership"
    bob: "Membership"
    acme_user: "Membership"
    charlie: "Membership"
    tiers1: "Membership"
    operateur: "Membership"

    p1: "MeteringPoint"
    p2: "MeteringPoint"
    p3: "MeteringPoint"
    p4: "MeteringPoint"
    p5: "MeteringPoint"

    def membership(self, name: str) -> "Membership":
        """The present row of a member, by the name in the cast."""
        return type(self.alice).objects.select_related("user", "organisation").get(pk=getattr(self, name).pk)

    def client(self, name: str, *, language: str = "fr") -> "Client":
        """A browser in which this member of the cast has signed in."""
        from django.conf import settings
        from django.test import Client

        membership = getattr(self, name)
        client = Client()
        client.force_login(type(membership.user).objects.get(pk=membership.user_id))  # as it is now
        session = client.session
        session["membership"] = membership.pk
        session.save()
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        return client

    def visitor(self, *, language: str = "fr") -> "Client":
        """A browser in which nobody has signed in."""
        from django.conf import settings
        from django.test import Client

        client = Client()
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        return client

    def give_password(self, name: str, password: str = PASSWORD) -> str:
        """Let this member sign in by hand (at first nobody can: hashing takes time); returns the password."""
        user = getattr(self, name).user
        user.set_password(password)
        user.save(update_fields=["password"])
        return password


class Kept(Generic[Made]):
    """What takes hundreds of statements to make and nearly every test wants: a process makes it once, in a registry that
    holds nothing else, keeps the rows and puts them back as they were.
    """

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._rows: dict[str, list[tuple[object, ...]]] = {}
        self._made: bytes | None = None

    def bring(self) -> Made:
        """It, in the registry of the moment."""
        if self._made is None or not self._put_back():
            return self._first_time()
        made: Made = pickle.loads(self._made)
        return made

    def _first_time(self) -> Made:
        from django.db import connection

        before = _counts()
        made = self._make()
        if self._made is None and "organisations_organisation" not in before:
            with connection.cursor() as cursor:
                for table, rows in _counts().items():
                    if rows != before.get(table, 0):
                        cursor.execute(f"SELECT * FROM {table}")
                        self._rows[table] = cursor.fetchall()
            self._made = pickle.dumps(made)
        return made

    def _put_back(self) -> bool:
        """Whether nothing stood in its way."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                " UNION ALL ".join(f"SELECT 1 WHERE EXISTS (SELECT 1 FROM {table})" for table in self._rows)
            )
            if cursor.fetchone():
                return False
            for table, rows in self._rows.items():
                places = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
        return True


def _counts() -> dict[str, int]:
    """How many rows each table holds, of those that hold any."""
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT COUNT(*) FROM {table}")
            if count := cursor.fetchone()[0]:
                found[table] = count
    return found


def make_world() -> World:
    """Write the cast in the registry of the moment."""
    from gridgate.accounts.models import SecurityPolicy
    from tests.factories.metering import make_held_point
    from tests.factories.organisations import make_group, make_member, make_organisation

    operator = make_organisation("Réseau Démo", "100000009", is_operator=True)
    acme = make_organisation("ACME Industries", "111222337")
    client_b = make_organisation("Client B", "123456782")
    p1, p2 = "30001480112233", "30001480112244"
    world = World(
        now=NOW,
        operator=operator,
        acme=acme,
        client_b=client_b,
        third_party_1=(third_party_1 := make_organisation("Tiers 1", "222333445")),
        third_party_2=make_organisation("Tiers 2", "333444552"),
        third_party_3=make_organisation("Tiers 3", "444555668"),
        p1=make_held_point(acme, p1, label="Lyon Gerland, usine", segment="C2"),
        p2=make_held_point(acme, p2, label="Lyon Gerland, atelier sud"),
        p3=make_held_point(acme, "30001480112255", label="Lyon Gerland, bureaux"),
        p4=make_held_point(acme, "30002590223312", label="Nantes Beaulieu, bureaux", segment="C5"),
        p5=make_held_point(client_b, "30003690334401", label="Rennes, atelier"),
        alice=make_member(acme, "Alice", role="administrator", email="alice@acme.example"),
        bob=make_member(acme, "Bob", email="bob@acme.example"),
        acme_user=make_member(acme, "Agathe", email="agathe@acme.example"),
        charlie=make_member(client_b, "Charlie", role="administrator", email="charlie@client-b.example"),
        tiers1=make_member(third_party_1, "Tiphaine", role="administrator", email="dev@tiers-1.example"),
        operateur=make_member(operator, "Olivier", role="administrator", email="olivier@reseau-demo.example"),
    )
    lyon = {code: [p1, p2] for code in ("meters", "measurements", "data_services")}
    make_group(acme, "Site de Lyon", [world.bob], lyon)
    make_group(acme, "Siège", [world.acme_user], {"meters": None, "measurements": None})
    SecurityPolicy.objects.create(pk=1, step_up_acts=[], changed_at=NOW)  # tests of step-up ask for it
    return world


@contextmanager
def standing_at(now: datetime) -> Iterator[None]:
    """The time of a world, for the code under test too."""
    from gridgate.portal.screens.account import mails

    with time_machine.travel(now, tick=True):
        yield
        mails.wait()  # or a late one would be the next test's


_WORLD = Kept(make_world)


@pytest.fixture
def world(db: None) -> Iterator[World]:
    with standing_at(NOW):
        yield _WORLD.bring()
