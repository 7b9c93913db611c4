import pytest

from tests.factories.kyc import ensure_form
from tests.world import World


@pytest.fixture(autouse=True)
def documents(settings, tmp_path):
    """The documents of this test alone."""
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"data": tmp_path})
    return tmp_path / "attachments"


@pytest.fixture
def published(world: World) -> World:
    """The cast, with the built-in questionnaire published."""
    ensure_form(world.now)
    return world
