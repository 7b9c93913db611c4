"""What migrations make of the rows that were there."""

from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps

from gridgate.core.references import ALPHABET
from gridgate.organisations import migrations
from gridgate.organisations.models import EicRequest, KycAttachment, KycQuestionnaire, RequestEvent
from tests.factories.eic import make_request
from tests.factories.kyc import make_draft, make_submitted
from tests.world import World


def migration(name: str) -> Any:
    """By what it does, whatever its place."""
    (file,) = Path(migrations.__path__[0]).glob(f"*_{name}.py")
    return import_module(f"{migrations.__name__}.{file.stem}")


def test_requests_are_numbered_anew_with_their_history(world: World) -> None:
    for place in (1, 2):
        made = make_request(world.alice, display_name=f"ACME-{place}", long_name=f"Atelier {place}")
        EicRequest.objects.filter(pk=made.pk).update(number=f"EIC-2026-0004{place}")
        RequestEvent.objects.filter(number=made.number).update(number=f"EIC-2026-0004{place}")
    migration("numbers_that_count_nothing").draw_numbers(apps, None)
    numbers = set(EicRequest.objects.values_list("number", flat=True))
    assert len(numbers) == 2
    for number in numbers:
        assert number.startswith("EIC-2026-")
        assert set(number[9:]) <= set(ALPHABET)
        assert number not in ("EIC-2026-00041", "EIC-2026-00042")
    assert set(RequestEvent.objects.values_list("number", flat=True)) == numbers


def test_what_was_sent_before_is_what_the_desk_sees(world: World, settings: Any, tmp_path: Any) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"data": tmp_path})
    sent = make_submitted(world.alice, now=world.now)
    draft = make_draft(world.charlie, now=world.now)
    KycQuestionnaire.objects.update(sent=None)
    KycAttachment.objects.update(sent_at=None)
    migration("what_was_sent").keep_what_was_sent(apps, None)
    sent.refresh_from_db()
    draft.refresh_from_db()
    assert sent.sent == {"answers": sent.answers}
    assert draft.sent is None
    assert sent.attachments.sent().count() == sent.attachments.count() > 0
    assert draft.attachments.sent().count() == 0
