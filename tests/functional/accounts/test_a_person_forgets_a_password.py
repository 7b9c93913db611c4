"""The link by e-mail, through a real mail server."""

import email.policy
import re
from datetime import timedelta
from email import message_from_bytes

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.organisations.models import User
from gridgate.organisations.operations.members import disable_user
from gridgate.portal.screens.account import mails
from tests.mail_server import mail_server
from tests.world import PASSWORD

NEW = "une autre phrase de passe"


class Mailbox:
    """What the mail server received."""

    def __init__(self):
        self.messages = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the server's name for it
        parsed = message_from_bytes(envelope.content, policy=email.policy.default)
        self.messages.append((envelope.rcpt_tos, parsed))
        return "250 OK"

    def open(self):
        """The messages, once those on their way have arrived."""
        mails.wait()
        return self.messages


@pytest.fixture
def mailbox(settings):
    box = Mailbox()
    with mail_server(box) as port:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        yield box
        mails.wait()


def ask(world, address, language="fr"):
    return world.visitor(language=language).post("/mot-de-passe/oublie/", {"email": address}, follow=True)


def link_in(message):
    return re.search(r"http://127\.0\.0\.1:8000(/mot-de-passe/nouveau/\S+)", message.get_content())[1]


def choose(client, link, password=NEW):
    """Open the link and send the form; returns the last page."""
    page = client.get(link, follow=True)
    if not page.redirect_chain:
        return page
    return client.post(
        page.redirect_chain[-1][0], {"new_password1": password, "new_password2": password}, follow=True
    )


class TestResetLink:
    def test_arrives_and_opens_the_account_with_another_password(self, world, mailbox):
        world.give_password("alice")
        assert "un lien vient d’y être envoyé" in ask(world, "Alice@acme.example").content.decode()
        [(recipients, message)] = mailbox.open()
        assert recipients == ["alice@acme.example"]
        assert message["Subject"].replace("\u00a0", " ") == "Réseau Démo : choisir un mot de passe"
        assert message.get_content_type() == "text/plain"
        client = world.visitor()
        assert "Votre mot de passe est changé" in choose(client, link_in(message)).content.decode()
        answer = client.post("/connexion/", {"login": "alice@acme.example", "password": NEW})
        assert answer.status_code == 302

    def test_is_written_in_the_persons_language_whoever_asks(self, world, mailbox):
        User.objects.filter(pk=world.bob.user_id).update(language="en")
        ask(world, "bob@acme.example", language="fr")
        [(_, message)] = mailbox.open()
        assert message["Subject"] == "Réseau Démo: choose a password"
        assert "It is valid for an hour and works once" in message.get_content()

    def test_lets_someone_choose_a_first_password(self, world, mailbox):
        assert not world.bob.user.has_usable_password()
        ask(world, "bob@acme.example")
        choose(world.visitor(), link_in(mailbox.open()[0][1]))
        assert User.objects.get(pk=world.bob.user_id).check_password(NEW)

    def test_works_once(self, world, mailbox):
        world.give_password("alice")
        ask(world, "alice@acme.example")
        link = link_in(mailbox.open()[0][1])
        choose(world.visitor(), link)
        assert "Ce lien ne sert plus" in choose(world.visitor(), link).content.decode()

    def test_works_for_an_hour(self, world, mailbox):
        world.give_password("alice")
        ask(world, "alice@acme.example")
        link = link_in(mailbox.open()[0][1])
        with time_machine.travel(world.now + timedelta(minutes=61)):
            assert "Ce lien ne sert plus" in choose(world.visitor(), link).content.decode()
        with time_machine.travel(world.now + timedelta(minutes=59)):
            assert "Votre mot de passe est changé" in choose(world.visitor(), link).content.decode()

    def test_ends_every_open_session(self, world, mailbox):
        world.give_password("alice")
        elsewhere = world.client("alice")
        ask(world, "alice@acme.example")
        choose(world.visitor(), link_in(mailbox.open()[0][1]))
        assert elsewhere.get("/compte/").status_code == 302

    def test_lifts_the_pause_after_too_many_guesses(self, world, mailbox):
        world.give_password("alice")
        for number in range(6):
            world.visitor().post(
                "/connexion/",
                {"login": "alice@acme.example", "password": "faux"},
                REMOTE_ADDR=f"192.0.2.{number}",
            )
        ask(world, "alice@acme.example")
        choose(world.visitor(), link_in(mailbox.open()[0][1]))
        answer = world.visitor().post("/connexion/", {"login": "alice@acme.example", "password": NEW})
        assert answer.status_code == 302

    def test_leads_to_the_portals_own_address_whatever_host_was_asked(self, world, mailbox):
        world.visitor().post("/mot-de-passe/oublie/", {"email": "bob@acme.example"}, HTTP_HOST="localhost")
        assert "http://127.0.0.1:8000/" in mailbox.open()[0][1].get_content()

    def test_refuses_a_weak_password_and_stays_good(self, world, mailbox):
        world.give_password("alice")
        ask(world, "alice@acme.example")
        link = link_in(mailbox.open()[0][1])
        client = world.visitor()
        assert 'aria-invalid="true"' in choose(client, link, "court").content.decode()
        assert "Votre mot de passe est changé" in choose(client, link).content.decode()

    def test_is_followed_by_a_notice_that_the_password_changed(self, world, mailbox):
        world.give_password("alice")
        ask(world, "alice@acme.example")
        choose(world.visitor(), link_in(mailbox.open()[0][1]))
        assert "vient de changer" in mailbox.open()[1][1].get_content()

    @pytest.mark.parametrize("forged", ["MQ/abc-def", "zzz/set-password", "///"])
    def test_cannot_be_forged(self, world, forged):
        page = world.visitor().get(f"/mot-de-passe/nouveau/{forged}/", follow=True)
        assert page.status_code == 404 or "Ce lien ne sert plus" in page.content.decode()


class TestAsking:
    def test_answers_the_same_for_an_unknown_address_and_sends_nothing(self, world, mailbox):
        known, unknown = ask(world, "bob@acme.example"), ask(world, "nadie@acme.example")
        assert known.redirect_chain == unknown.redirect_chain
        assert strip_token(known) == strip_token(unknown)
        assert [recipients for recipients, _ in mailbox.open()] == [["bob@acme.example"]]

    def test_does_the_same_queries_for_an_unknown_address(self, world, mailbox):
        counts = []
        for address in ("warm@acme.example", "bob@acme.example", "nadie@acme.example"):
            with CaptureQueriesContext(
                connection,
            ) as seen:
                world.visitor().post("/mot-de-passe/oublie/", {"email": address})
            counts.append(len(seen))
        assert counts[1] == counts[2]

    def test_sends_nothing_to_a_closed_account(self, world, mailbox):
        disable_user(user=world.bob.user)
        ask(world, "bob@acme.example")
        assert mailbox.open() == []

    def test_is_limited_for_one_address(self, world, mailbox):
        for number in range(5):
            world.visitor().post(
                "/mot-de-passe/oublie/", {"email": "bob@acme.example"}, REMOTE_ADDR=f"192.0.2.{number}"
            )
        refused = ask(world, "BOB@acme.example")
        assert refused.status_code == 429
        assert "Trop de demandes" in refused.content.decode()
        assert len(mailbox.open()) == 5

    def test_keeps_what_was_typed_when_it_is_no_address(self, world):
        page = ask(world, "bob").content.decode()
        assert 'value="bob"' in page
        assert 'aria-invalid="true"' in page

    def test_answers_when_the_mail_server_does_not(self, world, settings, caplog):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        assert ask(world, "bob@acme.example").status_code == 200
        mails.wait()
        assert "could not be sent" in caplog.text
        assert PASSWORD not in caplog.text


def strip_token(response):
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
