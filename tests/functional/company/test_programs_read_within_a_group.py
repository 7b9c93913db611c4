"""An administrator lets the company's own programs read within a group's perimeter."""

import re

import pytest

from gridgate.applications.models import Application
from gridgate.applications.operations import create_application, set_group
from gridgate.audit.models import AuditEvent
from gridgate.core.errors import GridgateError
from gridgate.organisations.authority import NotAllowed
from gridgate.organisations.models import UserGroup
from gridgate.organisations.operations.groups import delete_group
from tests.factories.organisations import make_group
from tests.functional.company.conftest import read_and_confirmed, text_of
from tests.handles import handle


@pytest.fixture
def programs(world):
    names = ("Suivi", "Facturation")
    made = [
        create_application(organisation=world.acme, name=name, now=world.now).application for name in names
    ]
    create_application(organisation=world.client_b, name="Autre", now=world.now)
    return made


@pytest.fixture
def lyon(world):
    return UserGroup.objects.get(organisation=world.acme, name="Site de Lyon")


def test_a_ticked_program_reads_within_the_group_and_an_unticked_one_everything(world, programs, lyon):
    client = world.client("alice")
    page = client.get(f"/administration/groupes/{handle(lyon)}/programmes/").content.decode()
    assert "Suivi" in page
    assert "Autre" not in page
    address = f"/administration/groupes/{handle(lyon)}/programmes/"
    said = text_of(client.post(address, {"pick": [programs[0].client_id]}))
    assert "Suivi (programme) perd « Visualiser les mesures » sur 2 points et sur ceux à venir." in said
    read_and_confirmed(client, address, {"pick": [programs[0].client_id]})
    groups = dict(Application.objects.filter(organisation=world.acme).values_list("name", "group"))
    assert groups == {"Suivi": lyon.pk, "Facturation": None}
    event = AuditEvent.objects.get(action="application.group_changed")
    assert (event.organisation, event.before, event.after) == (
        world.acme.pk,
        {"group": None},
        {"group": "Site de Lyon"},
    )
    had = {"had": programs[0].client_id}
    client.post(f"/administration/groupes/{handle(lyon)}/programmes/", had)
    assert not Application.objects.exclude(group=None).exists()


def test_what_unticking_does_is_said_where_something_is_ticked(world, programs, lyon):
    client, address = world.client("alice"), f"/administration/groupes/{handle(lyon)}/programmes/"
    assert "Décoché" not in text_of(client.get(address))
    set_group(application=programs[0], group=lyon, now=world.now)
    assert "Décoché, un programme lit de nouveau" in text_of(client.get(address))


def test_a_program_that_the_page_did_not_show_as_ticked_is_not_let_read_everything(world, programs, lyon):
    client = world.client("alice")
    address = f"/administration/groupes/{handle(lyon)}/programmes/"
    assert 'name="had" value=""' in client.get(address).content.decode()
    set_group(application=programs[1], group=lyon, now=world.now)  # by a colleague, meanwhile
    read_and_confirmed(client, address, {"had": "", "pick": [programs[0].client_id]})
    assert Application.objects.filter(group=lyon).count() == 2
    shown = re.search(r'name="had" value="([^"]*)"', client.get(address).content.decode())
    assert set(shown[1].split()) == {program.client_id for program in programs}


def test_another_companys_program_is_not_reached(world, programs, lyon):
    stranger = Application.objects.get(name="Autre")
    world.client("alice").post(
        f"/administration/groupes/{handle(lyon)}/programmes/", {"pick": [stranger.client_id]}
    )
    stranger.refresh_from_db()
    assert stranger.group_id is None
    with pytest.raises(NotAllowed):
        set_group(application=stranger, group=None, actor=world.alice, now=world.now)


def test_a_group_of_another_company_is_refused(world, programs):
    other = make_group(world.client_b, "Ailleurs", [], {})
    with pytest.raises(GridgateError, match="another company"):
        set_group(application=programs[0], group=other, actor=world.alice, now=world.now)


def test_a_deleted_group_leaves_its_program_nothing_and_says_so(world, programs, lyon):
    set_group(application=programs[0], group=lyon, now=world.now)
    siege = UserGroup.objects.get(organisation=world.acme, name="Siège")
    delete_group(group=lyon, now=world.now)
    page = world.client("alice").get(f"/administration/groupes/{handle(siege)}/programmes/").content.decode()
    assert "son groupe a été supprimé" in page
