"""A questionnaire ends: reminders 60, 30 and 7 days before, a letter at the end, each once."""

from datetime import datetime, timedelta

import pytest

from gridgate.audit.events import broken_links
from gridgate.audit.models import AuditEvent
from gridgate.kyc.kind import KYC
from gridgate.kyc.models import KycQuestionnaire
from gridgate.kyc.operations import time
from gridgate.kyc.operations.filling import start_questionnaire
from gridgate.kyc.operations.sending import accept_questionnaire, submit_questionnaire
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations.operations.members import create_user
from gridgate.requests.operations.life import return_request
from tests.factories.kyc import make_accepted, make_submitted
from tests.factories.organisations import make_group


@pytest.fixture(autouse=True)
def documents(settings, tmp_path):
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"data": tmp_path})


@pytest.fixture
def accepted(world):
    """ACME's, accepted long ago, whose last day is 70 days from now; what was sent on the way is forgotten."""
    made = make_accepted(world.alice, world.operateur, days_left=70, now=world.now)
    OutgoingEmail.objects.all().delete()
    return made


def tell_of_ends(*, now: datetime) -> int:
    """As the worker does, with its letters."""
    told = time.tell_of_ends(now=now)
    tasks.write_letters(now=now)
    return told


def letters(kind: str) -> list[tuple[str, str]]:
    found = OutgoingEmail.objects.filter(key__startswith=f"{kind}:").order_by("pk")
    return [(one.recipient, one.subject) for one in found]


def days(world, count: int) -> datetime:
    return world.now + timedelta(days=count)


class TestReminders:
    def test_come_at_60_30_and_7_days_and_once_each(self, world, accepted):
        told_on = []
        for day in range(70):
            before = OutgoingEmail.objects.count()
            for hour in (0, 1):
                tell_of_ends(now=days(world, day) + timedelta(hours=hour))
            if OutgoingEmail.objects.count() > before:
                told_on.append(70 - day)
                assert OutgoingEmail.objects.count() == before + 1
        assert told_on == [60, 30, 7]
        subject = "Votre questionnaire client est valable jusqu’au 3 février 2027"
        assert [one[0] for one in letters("kyc_expires_soon")] == ["alice@acme.example"] * 3
        assert {one[1].replace("\xa0", " ") for one in letters("kyc_expires_soon")} == {subject}

    def test_after_a_silent_worker_is_the_latest_one_only(self, world, accepted):
        assert tell_of_ends(now=days(world, 66)) == 1
        assert tell_of_ends(now=days(world, 67)) == 0

    def test_go_to_everyone_who_may_make_requests_in_their_language(self, world, accepted):
        make_group(world.acme, "Démarches", [world.bob], {"requests": None})
        world.bob.user.language = "en"
        world.bob.user.save()
        tell_of_ends(now=days(world, 10))
        assert dict(letters("kyc_expires_soon")) == {
            "alice@acme.example": "Votre questionnaire client est valable jusqu’au 3\xa0février 2027",
            "bob@acme.example": "Your customer questionnaire is valid until 3\xa0February 2027",
        }
        body = OutgoingEmail.objects.get(recipient="alice@acme.example").body
        assert "KYC-2026-00001 d’ACME Industries" in body
        assert "http://127.0.0.1:8000/questionnaire/" in body

    def test_go_to_the_person_when_there_is_no_company(self, world):
        nadia = create_user(email="nadia@ailleurs.example", full_name="Nadia", password=None, now=world.now)
        make_accepted(None, world.operateur, user=nadia, days_left=30, now=world.now)
        make_accepted(world.alice, world.operateur, days_left=300, now=world.now)
        OutgoingEmail.objects.all().delete()
        tell_of_ends(now=world.now)
        assert [one[0] for one in letters("kyc_expires_soon")] == ["nadia@ailleurs.example"]

    def test_do_not_come_about_a_moment_before_the_acceptance(self, world):
        from gridgate.kyc.models import KycForm

        sent = make_submitted(world.alice, now=world.now)
        KycForm.objects.update(months_valid=1)
        accept_questionnaire(questionnaire=sent, actor=world.operateur, now=world.now)
        OutgoingEmail.objects.all().delete()
        told_on = [day for day in range(31) if tell_of_ends(now=days(world, day))]
        assert told_on == [23]  # 7 days before 25 December; it lasts 30 days, so that only this one is told

    def test_stop_while_the_renewal_is_with_the_operator(self, world, accepted):
        renewal = make_submitted(world.alice, now=days(world, 5))
        assert tell_of_ends(now=days(world, 10)) == 0
        return_request(KYC, renewal, reason="Kbis.", actor=world.operateur, now=days(world, 11))
        assert tell_of_ends(now=days(world, 12)) == 1

    def test_stop_once_it_is_renewed(self, world, accepted):
        renewal = make_submitted(world.alice, now=days(world, 5))
        accept_questionnaire(questionnaire=renewal, actor=world.operateur, now=days(world, 6))
        OutgoingEmail.objects.all().delete()
        for day in (10, 40, 63, 70, 71, 80):
            assert tell_of_ends(now=days(world, day)) == 0
        assert OutgoingEmail.objects.count() == 0
        assert not AuditEvent.objects.filter(action="kyc.expired").exists()

    def test_are_of_each_company_apart(self, world, accepted):
        make_accepted(world.charlie, world.operateur, now=world.now)
        OutgoingEmail.objects.all().delete()
        assert tell_of_ends(now=days(world, 10)) == 1
        assert [one[0] for one in letters("kyc_expires_soon")] == ["alice@acme.example"]


class TestTheEnd:
    def test_is_told_once_after_the_last_day(self, world, accepted):
        tell_of_ends(now=days(world, 65))
        OutgoingEmail.objects.all().delete()
        assert tell_of_ends(now=accepted.valid_until - timedelta(seconds=1)) == 0
        assert tell_of_ends(now=accepted.valid_until) == 1
        assert tell_of_ends(now=days(world, 71)) == 0
        assert tell_of_ends(now=days(world, 400)) == 0
        assert letters("kyc_expired") == [("alice@acme.example", "Votre questionnaire client a expiré")]
        assert "son dernier jour était le 3\xa0février 2027" in OutgoingEmail.objects.get().body
        (event,) = AuditEvent.objects.filter(action="kyc.expired")
        assert (event.organisation, event.subject_label) == (world.acme.pk, "KYC-2026-00001")
        assert event.after == {"last_day": "2027-02-03"}
        assert list(broken_links()) == []

    def test_leaves_the_state_and_the_answers(self, world, accepted):
        tell_of_ends(now=days(world, 100))
        accepted.refresh_from_db()
        assert accepted.state == "accepted"
        renewal = start_questionnaire(user=world.alice.user, actor=world.alice, now=days(world, 101))
        assert (renewal.renews, renewal.answers) == (accepted, accepted.answers)

    def test_does_not_hide_a_draft_that_was_never_sent(self, world, accepted):
        start_questionnaire(user=world.alice.user, actor=world.alice, now=days(world, 50))
        assert tell_of_ends(now=days(world, 100)) == 1


def test_a_letter_that_is_queued_already_is_not_queued_again(world, accepted):
    """The mark is lost, as with a restored registry: the letter's key holds."""
    tell_of_ends(now=days(world, 10))
    KycQuestionnaire.objects.update(reminded_at=None)
    tell_of_ends(now=days(world, 11))
    assert len(letters("kyc_expires_soon")) == 1


def test_the_worker_does_it(world):
    from django.conf import settings

    from gridgate.config.worker import jobs

    names = {job.name for job in jobs(settings.ENVIRONMENT)}
    assert {"tell of questionnaires that end", "forget unnamed documents"} <= names


def test_submitting_twice_after_the_end_is_a_new_questionnaire(world, accepted):
    tell_of_ends(now=days(world, 100))
    renewal = start_questionnaire(user=world.alice.user, actor=world.alice, now=days(world, 101))
    sent = submit_questionnaire(
        questionnaire=renewal, user=world.alice.user, actor=world.alice, now=days(world, 102)
    )
    accept_questionnaire(questionnaire=sent, actor=world.operateur, now=days(world, 103))
    assert tell_of_ends(now=days(world, 104)) == 0
