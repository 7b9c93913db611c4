"""What a person reads when a page is not for them."""

import pytest
from django.http import HttpResponse

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.portal.guards import access
from tests.factories.organisations import make_group


class TestAPageThatAsksARight:
    def test_names_the_right_and_whom_to_ask(self, world):
        response = world.client("acme_user").get("/partage/")
        page = response.content.decode()
        assert response.status_code == 403
        assert "Gestion des services de données" in page
        assert "Alice" in page

    def test_opens_as_soon_as_the_right_is_given(self, world):
        client = world.client("acme_user")
        assert client.get("/partage/").status_code == 403
        make_group(world.acme, "Énergie", [world.acme_user], {"data_services": None})
        assert client.get("/partage/").status_code == 200


def page(request):
    return HttpResponse("open")


@pytest.mark.parametrize(
    ("guard", "opens_to"),
    [
        (access.entitlement_required("data_services"), {"alice", "bob", "charlie", "tiers1", "operateur"}),
        (access.administrator_required, {"alice", "charlie", "tiers1", "operateur"}),
        (access.operator_required, {"operateur"}),
    ],
)
def test_each_guard_opens_to_those_it_names_and_to_nobody_signed_out(world, rf, guard, opens_to):
    answers = {}
    for name in ("alice", "bob", "acme_user", "charlie", "tiers1", "operateur"):
        request = rf.get("/")
        request.membership = world.membership(name)
        request.user = request.membership.user
        answers[name] = guard(page)(request).status_code
    assert {name for name, status in answers.items() if status == 200} == opens_to
    assert set(answers.values()) == {200, 403}
    request = rf.get("/")
    request.membership = None
    assert guard(page)(request).status_code == 403


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ErrorKind.NOT_FOUND, 404),
        (ErrorKind.FORBIDDEN, 403),
        (ErrorKind.INVALID, 400),
        (ErrorKind.MALFORMED, 400),
        (ErrorKind.INTERNAL, None),
    ],
)
def test_what_queries_and_operations_refuse_becomes_a_page(world, rf, kind, status):
    request = rf.get("/")
    request.membership = None
    answer = access.RefusalMiddleware(page).process_exception(
        request, GridgateError(kind, "the secret reason")
    )
    assert (answer and answer.status_code) == status
    assert answer is None or "the secret reason" not in answer.content.decode()
    assert access.RefusalMiddleware(page).process_exception(request, ValueError()) is None
