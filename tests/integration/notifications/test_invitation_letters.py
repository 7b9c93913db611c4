"""Activation links by e-mail: in both languages, in the e-mail only, and only while they are good."""

import email
import email.policy
import re
from datetime import timedelta
from pathlib import Path

import time_machine
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from gridgate.config.worker import do, jobs
from gridgate.eic.models import EicCode
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.onboarding import links
from gridgate.onboarding.models import Invitation
from gridgate.onboarding.operations.invitations import (
    cancel_invitation,
    declare_first_administrator,
    invite,
    renew_invitation,
)
from gridgate.onboarding.operations.sign_ups import sign_up
from gridgate.onboarding.tasks import follow_invitations
from gridgate.organisations.operations.companies import record_contract
from tests.factories.organisations import make_member
from tests.forking import Forked
from tests.real_registry import Registry
from tests.world import World


def post() -> list[mail.EmailMessage]:
    """What the queue sends now."""
    before = len(mail.outbox)
    while (letter := tasks.claim(now=timezone.now())) is not None:
        tasks.send(letter, clock=timezone.now)
    return mail.outbox[before:]


def invite_someone(world: World, **changes: object) -> Invitation:
    given: dict[str, object] = {
        "organisation": world.acme,
        "email": "denis@acme.example",
        "full_name": "Denis",
        "actor": world.membership("alice"),
        "now": timezone.now(),
    }
    return invite(**given | changes)  # type: ignore[arg-type]


def declare(world: World) -> Invitation:
    company = world.third_party_3
    record_contract(organisation=company, number="C-1", valid_from=world.now.date(), now=world.now)
    EicCode.objects.create(
        code="17XTIERS3------D",
        type="X",
        display_name="TIERS3",
        long_name="Tiers 3",
        organisation=company,
        source="imported",
        issued_at=world.now,
    )
    return declare_first_administrator(
        organisation=company, email="eric@tiers-3.example", full_name="Éric", now=timezone.now()
    )


def text_of(message: mail.EmailMessage) -> str:
    """The text with plain spaces."""
    return str(message.body).replace("\u00a0", " ").replace("\u202f", " ")


def link_in(message: mail.EmailMessage, settings: Settings) -> str:
    found = re.findall(rf"{re.escape(settings.BASE_URL)}/activation/\S+", str(message.body))
    assert len(found) == 1, message.body
    return str(found[0])


def test_an_invitation_says_who_invites_to_what_and_until_when(world: World, settings: Settings) -> None:
    invitation = invite_someone(world)
    (message,) = post()
    assert message.to == ["denis@acme.example"]
    assert message.subject == "ACME Industries vous invite sur le portail Réseau Démo"
    assert "Alice vous invite à agir pour ACME Industries (SIREN 111222337)" in message.body
    assert "25 décembre 2026 à 10:30 (heure de Paris)" in text_of(message)
    assert "Votre rôle : utilisateur" in text_of(message)
    assert link_in(message, settings).endswith(f"/activation/{links.token_of(invitation)}/")
    assert "Les liens reçus auparavant" not in message.body


def test_it_is_in_the_language_chosen_for_the_person(world: World) -> None:
    invite_someone(world, language="en", role="administrator")
    (message,) = post()
    assert message.subject == "ACME Industries invites you to the Réseau Démo portal"
    assert "Your role: administrator" in message.body
    assert "25 December 2026 at 10:30 (Paris time)" in text_of(message)
    assert not re.search(r"[éàè]", str(message.body).replace("Réseau Démo", ""))


def test_a_first_administrator_is_told_the_company_and_reminded_once(
    world: World, settings: Settings
) -> None:
    declare(world)
    (message,) = post()
    assert message.to == ["eric@tiers-3.example"]
    assert "premier administrateur de l’entreprise Tiers 3 (SIREN 444555668)" in message.body
    assert "28 novembre 2026" in text_of(message)
    first = link_in(message, settings)
    with time_machine.travel(world.now + timedelta(days=3, minutes=1), tick=False):
        for _ in range(3):
            follow_invitations(now=timezone.now())
        (again,) = post()
        assert "Votre premier lien n’a pas servi" in again.body
        assert "Les liens reçus auparavant ne servent plus." in again.body
        assert "1ᵉʳ décembre 2026" in text_of(again)
        assert link_in(again, settings) != first
    with time_machine.travel(world.now + timedelta(days=9), tick=False):
        follow_invitations(now=timezone.now())
        assert post() == []


def test_the_worker_sends_the_one_more(world: World, settings: Settings) -> None:
    declare(world)
    post()
    (job,) = [job for job in jobs(settings.ENVIRONMENT) if job.name == "follow invitations"]
    with time_machine.travel(world.now + timedelta(days=3, minutes=1), tick=False):
        for _ in range(2):
            do(job, timezone.now())
            job.due = 0.0
        assert [message.to for message in post()] == [["eric@tiers-3.example"]]
    assert job.failures == 0


def test_it_names_whoever_sends_it_again(world: World) -> None:
    invitation = invite_someone(world)
    gilles = make_member(world.acme, "Gilles", entitlements=["users"])
    renew_invitation(invitation=invitation, actor=gilles, now=timezone.now())
    (message,) = post()
    assert "Gilles vous invite à agir pour ACME Industries" in message.body


def test_a_sign_up_says_nothing_that_whoever_typed_it_chose(world: World, settings: Settings) -> None:
    """A name is no way to send a stranger a message of one's own."""
    sign_up(email="eva@ailleurs.example", full_name="Gagnez http://piege.example", now=timezone.now())
    (message,) = post()
    assert message.to == ["eva@ailleurs.example"]
    assert "piege" not in message.body + message.subject
    assert link_in(message, settings)


def test_a_known_address_that_signs_up_is_told_so_in_its_own_language_without_a_link(world: World) -> None:
    world.bob.user.language = "en"
    world.bob.user.save()
    sign_up(email="BOB@acme.example", full_name="Bob", language="fr", now=timezone.now())
    (message,) = post()
    assert message.subject == "You already have an account on the Réseau Démo portal"
    assert "/activation/" not in message.body
    assert "/connexion/" in message.body
    assert "/mot-de-passe/oublie/" in message.body


def test_a_link_that_is_no_longer_good_does_not_leave(world: World, settings: Settings) -> None:
    cancelled = invite_someone(world)
    cancel_invitation(invitation=cancelled, now=timezone.now())
    renewed = invite_someone(world, email="autre@acme.example")
    renew_invitation(invitation=renewed, now=timezone.now())
    late = invite_someone(world, email="tard@acme.example")
    Invitation.objects.filter(pk=late.pk).update(expires_at=timezone.now())
    (message,) = post()
    assert message.to == ["autre@acme.example"]
    assert links.token_of(Invitation.objects.get(pk=renewed.pk)) in link_in(message, settings)
    assert OutgoingEmail.objects.filter(failure__startswith="withdrawn").count() == 3


INVITE = """
from datetime import datetime, timezone
from gridgate.notifications import tasks
from gridgate.organisations.models import Organisation
from gridgate.onboarding.operations.invitations import invite
from gridgate.onboarding.operations.sign_ups import sign_up
from gridgate.onboarding.operations.terms import publish_terms
now = datetime.now(timezone.utc)
publish_terms(version="1", text_fr="Texte", now=now)
invite(organisation=Organisation.objects.get(siren="111222337"), email="denis@acme.example", full_name="Denis", now=now)
sign_up(email="eva@ailleurs.example", full_name="Eva", now=now)
while (letter := tasks.claim(now=now)) is not None:
    assert tasks.send(letter, clock=lambda: now)
"""

ACCEPT = """
import sys, time
from datetime import datetime, timezone
from pathlib import Path
from django.test import Client
go = environment.data / "go"
client = Client()
path = {path!r}
assert client.get(path, HTTP_HOST="127.0.0.1").status_code == 200
print("ready", flush=True)
while not go.exists():
    time.sleep(0.001)
form = {{"new_password1": {password!r}, "new_password2": {password!r}, "terms": "on", "version": "1"}}
print(client.post(path, form, HTTP_HOST="127.0.0.1").status_code)
"""


def test_the_link_stands_in_the_e_mail_and_nowhere_in_the_registry_and_opens_one_account(
    registry: Registry,
) -> None:
    registry.run(INVITE)
    paths = _links_in_mail(registry.data / "mail")
    assert set(paths) == {"denis@acme.example", "eva@ailleurs.example"}
    started = [
        registry.start(ACCEPT.format(path=paths["denis@acme.example"], password=f"phrase assez longue {n}"))
        for n in range(3)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
    (registry.data / "go").touch()
    assert sorted(_end(process) for process in started) == ["302", "410", "410"]
    (count,) = registry.rows("select count(*) from organisations_user where email = 'denis@acme.example'")
    assert count == (1,)
    (members,) = registry.rows(
        "select count(*) from organisations_membership m join organisations_user u on u.id = m.user_id "
        "where u.email = 'denis@acme.example'"
    )
    assert members == (1,)
    kept = b"".join(file.read_bytes() for file in registry.data.glob("registry.sqlite3*"))
    for path in paths.values():
        signature = path.strip("/").rpartition(".")[2]
        assert len(signature) > 30
        assert signature.encode() not in kept


def _links_in_mail(folder: Path) -> dict[str, str]:
    found = {}
    for file in folder.iterdir():
        for part in re.split(rb"\n-{70,}\n", file.read_bytes()):
            if not part.strip():
                continue
            message = email.message_from_bytes(part, policy=email.policy.default)
            link = re.search(r"http://\S+?(/activation/\S+)", message.get_content())
            assert link
            found[str(message["To"])] = link[1]
    return found


def _end(process: Forked) -> str:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output.strip()
