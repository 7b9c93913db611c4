"""What takes something away takes effect, whatever else the same request asks; what the directory gave comes back."""

import json
from datetime import timedelta

import pytest

from gridgate.audit.models import AuditEvent
from gridgate.organisations.models import Membership, UserGroup
from gridgate.organisations.operations.groups import create_group, set_groups, set_members
from tests.factories.organisations import make_member
from tests.integration.scim.conftest import GROUP, USER

NOBODY = "00000000-0000-4000-8000-000000000000"
OFF = {"op": "replace", "path": "active", "value": False}
ON = {"op": "replace", "path": "active", "value": True}
FOREIGN = {"op": "replace", "path": "userName", "value": "bob@elsewhere.example"}
LONG = "x" * 300


@pytest.fixture
def bob(directory):
    return directory.id_of("bob@acme.example")


@pytest.fixture
def zoe(directory):
    return directory.add("zoe@acme.example", displayName="Zoé")["id"]


def members(name):
    rows = UserGroup.objects.get(name=name).members.select_related("membership__user")
    return sorted(row.membership.user.get_short_name() for row in rows)


def is_in(world, who="bob"):
    return Membership.objects.filter(pk=getattr(world, who).pk, ended_at=None).exists()


class TestDeactivation:
    @pytest.mark.parametrize(
        "operations",
        [
            [OFF, {"op": "replace", "path": "userName", "value": "bob@elsewhere.example"}],
            [{"op": "replace", "path": "userName", "value": "alice@acme.example"}, OFF],
            [{"op": "Replace", "path": "active", "value": "False"}, {"op": "Add", "path": "nickNames[", "value": 1}],
            [{"op": "replace", "value": {"active": False, "displayName": LONG}}],
            [{"op": "replace", "value": {"Active": "false", "userName": "no address"}}],
            [{"op": "add", "path": f"{'urn:ietf:params:scim:schemas:core:2.0:User'}:active", "value": False},
             {"op": "replace", "path": "externalId", "value": LONG}],
            [{"op": "replace", "path": "active", "value": True}, OFF, {"op": "remove", "path": "userName"}],
            [OFF, {"op": "replace", "path": 'emails[type eq "work"].value', "value": "other@acme.example"}],
            [OFF, *[{"op": "replace", "path": "title", "value": "x"}] * 1000],
        ],
    )  # fmt: skip
    def test_is_done_though_the_rest_of_a_patch_is_refused(self, world, directory, bob, operations):
        browser = world.client("bob")
        assert browser.get("/compteurs/").status_code == 200
        answer = directory.patch(f"/Users/{bob}", *operations)
        assert answer.status_code in (400, 409, 413), answer.content
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert "All the same, the user is inactive now" in answer.json()["detail"]
        assert not is_in(world)
        assert browser.get("/compteurs/").status_code == 302
        assert AuditEvent.objects.filter(action="member.detached", subject=str(world.bob.pk)).exists()
        left = directory.get(f"/Users/{bob}").json()
        assert (left["active"], left["userName"], left["displayName"]) == (False, "bob@acme.example", "Bob")

    @pytest.mark.parametrize(
        "body",
        [
            {"userName": "bob@elsewhere.example", "active": False},
            {"userName": "bob@acme.example", "active": "False", "displayName": LONG},
            {"active": False},
            {"userName": 7, "active": False},
        ],
    )
    def test_is_done_though_the_rest_of_a_put_is_refused(self, world, directory, bob, body):
        answer = directory.call("PUT", f"/Users/{bob}", body)
        assert answer.status_code == 400
        assert "the user is inactive now" in answer.json()["detail"]
        assert not is_in(world)

    @pytest.mark.parametrize(
        "operations",
        [
            [{"op": "replace", "value": {USER: {"active": False, "displayName": LONG}}}],
            [{"op": "replace", "value": {USER.upper(): {"Active": "False"}}}, FOREIGN],
            [{"op": "replace", "path": USER, "value": {"active": False}}, FOREIGN],
            [{"op": "replace", "value": {USER: {f"{USER}:active": False}}}, FOREIGN],
            [{"op": "replace", "value": [{"active": False}]}],
            [{"op": "replace", "value": {"active": False, "displayName": "a\0"}}],
            [{"op": "replace", "value": {"active": False, "a\0": "x"}}],
            [{"op": "replace", "value": {"active": False, "displayName": "\ud800"}}],
            [{"op": "replace", "path": f"{USER}.active", "value": False}],
            [{"op": "replace", "value": {f"{USER}.active": False}}],
            [{"op": "replace", "path": f"{USER}/active", "value": False}],
            [{"op": "replace", "path": "/active", "value": False}],
            [{"op": "replace", "path": 'active[value eq "x"]', "value": False}],
            *([{"op": "replace", "path": "active", "value": value}] for value in (
                [False], {"value": False}, [{"value": "False"}], [True, False], " false ")),
            *([OFF, {"op": "replace", "path": "active", "value": value}] for value in ("zz", "\ud800", None, [], LONG)),
            [{"op": " Replace ", "path": "active", "value": False}],
            [{"path": "active", "value": False}],
        ],
    )  # fmt: skip
    def test_is_done_however_a_patch_spells_it(self, world, directory, bob, operations):
        answer = directory.patch(f"/Users/{bob}", *operations)
        assert answer.status_code == 400, answer.content
        assert "All the same, the user is inactive now" in answer.json()["detail"]
        assert not is_in(world)
        assert directory.get(f"/Users/{bob}").json()["displayName"] == "Bob"

    @pytest.mark.parametrize(
        "body",
        [
            b'{"Operations": {"op": "replace", "path": "active", "value": false}}',
            b'{"Operations": [], "active": false}',
            b'{"Operations": [{"op": "remove", "path": "userName"}], "active": false}',
            b'{"Operations": [{"op": "replace", "value": {"active": false, "displayName": "Ren\xe9"}}]}',
            b'{"Operations": [{"op": "replace", "value": {"active": false, "displayName": "a\tb"}}]}',
            b'{"Operations": [{"op": "replace", "value": {"active": false, "title": %s}}]}' % (b"9" * 5000),
            b'{"Operations": [{"op": "replace", "value": {"active": false, "active": true, "displayName": 7}}]}',
            '{"Operations": [{"op": "replace", "value": {"active": false, "displayName": "\0"}}]}'.encode("utf-16"),
        ],
    )  # fmt: skip
    def test_is_done_though_the_body_is_not_quite_json_or_no_patch(self, world, directory, bob, body):
        answer = directory.call("PATCH", f"/Users/{bob}", body)
        assert answer.status_code == 400, answer.content
        assert "All the same, the user is inactive now" in answer.json()["detail"]
        assert not is_in(world)

    @pytest.mark.parametrize(
        "body",
        [
            {"userName": "no address", "active": False, "Operations": []},
            {"userName": "no address", "active": False, "Operations": [ON]},
            {"userName": "bob@acme.example", "active": True, "ACTIVE": False, "displayName": LONG},
            {"userName": "no address", USER: {"active": False}},
            {"userName": "no address", f"{USER}:active": False},
            {"userName": "bob@acme.example", "active": [False]},
            {"userName": "bob@acme.example", "active": False, "displayName": "a\0"},
            {"userName": "bob@acme.example", "active": False, "displayName": "\udfff"},
            b'{"userName": "bob@acme.example", "active": false, "active": true, "displayName": 7}',
        ],
    )
    def test_is_done_however_a_put_spells_it(self, world, directory, bob, body):
        answer = directory.call("PUT", f"/Users/{bob}", body)
        assert answer.status_code == 400, answer.content
        assert "the user is inactive now" in answer.json()["detail"]
        assert not is_in(world)

    @pytest.mark.parametrize(
        ("method", "body"),
        [
            ("PUT", {"userName": "bob@acme.example", "active": False, "ACTIVE": True}),
            ("PUT", {"userName": "bob@acme.example", USER: {"active": False}}),
            ("PUT", {USER: {"userName": "bob@acme.example", "active": False}}),
            ("PUT", b'{"userName": "bob@acme.example", "active": false, "active": true}'),
            ("PATCH", {"Operations": [{"op": "replace", "value": {"active": False, "ACTIVE": True}}]}),
            ("PATCH", {"Operations": [{"op": "replace", "value": {USER: {"active": False}, "active": True}}]}),
            ("PATCH", {"Operations": [{"op": "replace", "path": "active.value", "value": False}]}),
            ("PATCH", b'{"Operations": [{"op": "replace", "path": "active", "value": false, "value": true}]}'),
        ],
    )  # fmt: skip
    def test_wins_over_what_else_is_said_of_it(self, world, directory, bob, method, body):
        answer = directory.call(method, f"/Users/{bob}", body)
        assert (answer.status_code, answer.json()["active"]) == (200, False), answer.content
        assert not is_in(world)

    def test_keeps_a_text_that_only_looks_like_a_nul(self, world, directory, bob):
        answer = directory.patch(
            f"/Users/{bob}", {"op": "replace", "value": {"active": False, "displayName": r"C:\u0000"}}
        )
        assert (answer.status_code, answer.json()["active"]) == (200, False), answer.content
        assert answer.json()["displayName"] == r"C:\u0000"

    def test_counts_for_whoever_is_added_too(self, directory):
        made = directory.add("yann@acme.example", **{USER: {"active": False, "displayName": "Yann"}})
        assert (made["active"], made["displayName"]) == (False, "Yann")

    def test_with_what_will_do_is_answered_as_ever(self, world, directory, zoe):
        answer = directory.patch(
            f"/Users/{zoe}", OFF, {"op": "replace", "path": "externalId", "value": "left-7"}
        )
        assert answer.status_code == 200
        assert (answer.json()["active"], answer.json()["externalId"]) == (False, "left-7")

    @pytest.mark.parametrize(
        "operations",
        [
            [OFF, {"op": "replace", "path": "active", "value": True}, {"op": "replace", "path": "userName", "value": ""}],
            [{"op": "replace", "path": "active"}, {"op": "replace", "path": "userName", "value": ""}],
            [{"op": "remove", "path": "active", "value": False}],
            [{"op": "replace", "path": "active", "value": "perhaps"}],
            [{"op": "replace", "path": "title.active", "value": False}, {"op": "remove", "path": "userName"}],
            [{"op": "replace", "path": f"{GROUP}:active", "value": False}, {"op": "remove", "path": "userName"}],
            [{"op": "replace", "path": "displayName", "value": {"active": False}}],
            [{"op": "replace", "path": f"{USER}s.active", "value": False}],
            [{"op": "replace", "path": f"{USER}.displayName", "value": "x"}],
            [{"op": "test", "path": "active", "value": False}],
            [{"op": "replace", "path": "active", "value": []}],
        ],
    )  # fmt: skip
    def test_that_is_not_asked_is_not_done(self, world, directory, bob, operations):
        assert directory.patch(f"/Users/{bob}", *operations).status_code == 400
        assert is_in(world)

    def test_is_not_done_by_operations_that_strayed_into_a_put(self, world, directory, bob):
        body = {"userName": "bob@acme.example", "active": True, "Operations": [OFF]}
        assert directory.call("PUT", f"/Users/{bob}", body).status_code == 200
        assert is_in(world)
        assert not AuditEvent.objects.filter(action="member.detached", subject=str(world.bob.pk)).exists()

    def test_a_path_that_is_no_path_of_the_schema_is_told(self, directory, bob):
        answer = directory.patch(
            f"/Users/{bob}", {"op": "replace", "path": f"{USER}.displayName", "value": "x"}
        )
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidPath")

    def test_of_an_older_version_is_refused_whole(self, world, directory, bob):
        assert directory.patch(f"/Users/{bob}", OFF, If_Match='W/"other"').status_code == 412
        assert is_in(world)

    @pytest.mark.parametrize(
        "operations",
        [
            [OFF, {"op": "replace", "path": "displayName", "value": "Nobody"}],
            [{"op": "replace", "value": {USER: {"active": [False], "displayName": "a\0"}}}],
        ],
    )
    def test_of_the_last_administrator_is_refused_and_nothing_else_is_done(
        self, world, directory, operations
    ):
        alice = directory.id_of("alice@acme.example")
        answer = directory.patch(f"/Users/{alice}", *operations)
        assert answer.status_code == 409
        assert "All the same" not in answer.json()["detail"]
        assert is_in(world, "alice")
        assert directory.get(f"/Users/{alice}").json()["displayName"] == "Alice"

    @pytest.mark.parametrize(
        "operation", [OFF, {"op": "replace", "value": {USER: {"active": [False, "\0"]}}}]
    )
    def test_by_another_companys_directory_finds_nobody(self, world, other_directory, bob, operation):
        answer = other_directory.patch(f"/Users/{bob}", operation)
        assert answer.status_code == 404
        assert is_in(world)


class TestMembersOfAGroup:
    @pytest.fixture
    def group(self, directory, bob, zoe):
        return directory.add_group("Énergie", bob, zoe)["id"]

    def test_one_that_cannot_be_keeps_no_other_in_nor_out(self, world, directory, group, bob):
        yann = directory.add("yann@acme.example", displayName="Yann")["id"]
        answer = directory.patch(
            f"/Groups/{group}",
            {"op": "add", "path": "members", "value": [{"value": NOBODY}, {"value": yann}]},
            {"op": "remove", "path": f'members[value eq "{bob}"]'},
        )
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
        assert NOBODY in answer.json()["detail"]
        assert "1 was removed and 1 was added" in answer.json()["detail"]
        assert members("Énergie") == ["Yann", "Zoé"]

    def test_somebody_of_another_company_is_like_nobody(self, world, directory, other_directory, group, bob):
        charlie = other_directory.id_of("charlie@client-b.example")
        said = set()
        for stranger in (charlie, NOBODY):
            body = {"displayName": "Énergie", "members": [{"value": bob}, {"value": stranger}]}
            answer = directory.call("PUT", f"/Groups/{group}", body)
            assert answer.status_code == 400
            said.add(answer.json()["detail"].replace(stranger, "…").partition(". All the same")[0])
            assert members("Énergie") == ["Bob"]
        assert len(said) == 1

    @pytest.mark.parametrize(
        "refused",
        [
            {"op": "replace", "path": "displayName", "value": "x" * 81},
            {"op": "replace", "path": "nickNames[", "value": "x"},
            {"op": "replace", "value": {"displayName": 7}},
            {"op": "shake", "path": "members"},
        ],
    )
    def test_leave_though_the_rest_of_a_patch_is_refused(self, directory, group, bob, refused):
        gone = {"op": "Remove", "path": "members", "value": [{"value": bob}]}
        for operations in ([refused, gone], [gone, refused]):
            directory.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": bob}]})
            answer = directory.patch(f"/Groups/{group}", *operations)
            assert answer.status_code == 400, answer.content
            assert "1 was removed" in answer.json()["detail"]
            assert members("Énergie") == ["Zoé"]

    @pytest.mark.parametrize(
        ("method", "told"),
        [
            ("PUT", {"displayName": "a\0", "members": "of zoe"}),
            ("PUT", {"displayName": "\ud800", "members": "of zoe"}),
            ("PUT", {"displayName": 7, "members": "of zoe", "Operations": []}),
            ("PUT", {"displayName": "x" * 81, GROUP: {"members": "of zoe"}}),
            ("PATCH", {"Operations": [{"op": "replace", "value": {"members": "of zoe", "displayName": "a\0"}}]}),
            ("PATCH", {"Operations": [{"op": "add", "value": {"displayName": 7}},
                                      {"op": "replace", "value": {GROUP.upper(): {"members": "of zoe"}}}]}),
        ],
    )  # fmt: skip
    def test_leave_however_it_is_spelt(self, directory, group, zoe, method, told):
        body = json.dumps(told).replace('"of zoe"', json.dumps([{"value": zoe}])).encode()
        answer = directory.call(method, f"/Groups/{group}", body)
        assert answer.status_code == 400, answer.content
        assert "1 was removed" in answer.json()["detail"]
        assert members("Énergie") == ["Zoé"]

    def test_stay_when_they_are_named_below_the_schema(self, directory, group, bob, zoe):
        body = {GROUP: {"displayName": "Énergie", "members": [{"value": bob}, {"value": zoe}]}}
        assert directory.call("PUT", f"/Groups/{group}", body).status_code == 200
        assert members("Énergie") == ["Bob", "Zoé"]

    @pytest.mark.parametrize(
        "operation", [{"op": "replace", "path": "members"}, {"op": "replace", "path": f"{GROUP}s"}]
    )
    def test_stay_when_nothing_is_said_of_them(self, directory, group, operation):
        assert directory.patch(f"/Groups/{group}", operation).status_code == 400
        assert members("Énergie") == ["Bob", "Zoé"]

    @pytest.mark.parametrize("name", [7, None, "x" * 81, "Autre"])
    def test_leave_though_the_rest_of_a_put_is_refused(self, directory, group, zoe, name):
        directory.add_group("Autre")
        body = {"displayName": name, "members": [{"value": zoe}]}
        answer = directory.call("PUT", f"/Groups/{group}", body)
        assert answer.status_code in (400, 409)
        assert "1 was removed" in answer.json()["detail"]
        assert members("Énergie") == ["Zoé"]

    def test_nobody_comes_in_by_a_request_that_cannot_be_read(self, directory, group, bob):
        yann = directory.add("yann@acme.example", displayName="Yann")["id"]
        answer = directory.patch(
            f"/Groups/{group}",
            {"op": "add", "path": "members", "value": [{"value": yann}]},
            {"op": "replace", "path": "nickNames[", "value": "x"},
        )
        assert answer.status_code == 400
        assert members("Énergie") == ["Bob", "Zoé"]


class TestComingBack:
    def off_and_on(self, directory, person):
        assert directory.patch(f"/Users/{person}", OFF).status_code == 200
        return directory.patch(f"/Users/{person}", {"op": "replace", "path": "active", "value": "True"})

    def test_finds_the_groups_that_the_directory_put_them_in_and_no_other(self, world, directory, zoe):
        directory.add_group("Énergie", zoe)
        late = directory.add_group("Achats")["id"]
        directory.patch(f"/Groups/{late}", {"op": "add", "path": "members", "value": [{"value": zoe}]})
        mine = create_group(organisation=world.acme, name="Du portail", actor=world.alice, now=world.now)
        member = Membership.objects.get(user__email="zoe@acme.example")
        set_groups(
            membership=member, groups=[*world.acme.groups.filter(members__membership=member), mine],
            actor=world.alice, now=world.now,
        )  # fmt: skip
        answer = self.off_and_on(directory, zoe)
        assert answer.status_code == 200
        assert members("Énergie") == members("Achats") == ["Zoé"]
        assert members("Du portail") == []
        assert [one["display"] for one in answer.json()["groups"]] == ["Achats", "Énergie"]

    def test_a_member_whom_the_directory_names_again_is_the_directorys(self, world, directory, bob):
        create_group(
            organisation=world.acme, name="Énergie", members=[world.bob], actor=world.alice, now=world.now
        )
        (group,) = directory.found('/Groups?filter=displayName eq "Énergie"')
        named = {"op": "Add", "path": "members", "value": [{"value": bob}]}
        directory.patch(f"/Groups/{group['id']}", named)
        self.off_and_on(directory, bob)
        assert members("Énergie") == ["Bob"]

    def test_whom_an_administrator_took_out_stays_out(self, world, directory, zoe):
        directory.add_group("Énergie", zoe)
        set_members(group=UserGroup.objects.get(name="Énergie"), members=[], actor=world.alice, now=world.now)
        self.off_and_on(directory, zoe)
        assert members("Énergie") == []

    @pytest.mark.parametrize("how", ["remove", "filter", "put"])
    def test_whom_the_directory_took_out_meanwhile_stays_out(self, directory, zoe, how):
        group = directory.add_group("Énergie", zoe)["id"]
        directory.patch(f"/Users/{zoe}", OFF)
        if how == "put":
            answer = directory.call("PUT", f"/Groups/{group}", {"displayName": "Énergie", "members": []})
        elif how == "filter":
            answer = directory.patch(
                f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{zoe}"]'}
            )
        else:
            gone = {"op": "Remove", "path": "members", "value": [{"value": zoe}]}
            answer = directory.patch(f"/Groups/{group}", gone)
        assert answer.status_code in (200, 204)
        directory.patch(f"/Users/{zoe}", {"op": "replace", "path": "active", "value": True})
        assert members("Énergie") == []

    def test_a_whole_group_that_names_the_inactive_keeps_their_place(self, directory, bob, zoe):
        group = directory.add_group("Énergie", bob, zoe)["id"]
        directory.patch(f"/Users/{zoe}", OFF)
        body = {"displayName": "Énergie", "members": [{"value": bob}, {"value": zoe}]}
        answer = directory.call("PUT", f"/Groups/{group}", body)
        assert answer.status_code == 200
        assert [one["value"] for one in answer.json()["members"]] == [bob]
        directory.patch(f"/Users/{zoe}", {"op": "replace", "path": "active", "value": True})
        assert members("Énergie") == ["Bob", "Zoé"]

    def test_deleted_and_added_again_they_are_in_no_group(self, directory, zoe):
        directory.add_group("Énergie", zoe)
        directory.call("DELETE", f"/Users/{zoe}")
        directory.add("zoe@acme.example", displayName="Zoé")
        assert members("Énergie") == []

    def test_an_administrator_comes_back_as_a_user(self, world, directory):
        make_member(world.acme, "Carole", role="administrator", email="carole@acme.example")
        carole = directory.id_of("carole@acme.example")
        directory.add_group("Énergie", carole)
        self.off_and_on(directory, carole)
        assert members("Énergie") == ["Carole"]
        back = Membership.objects.get(user__email="carole@acme.example", ended_at=None)
        assert back.role == Membership.Role.USER


class TestDates:
    """An administrator dates the place that the directory gave."""

    @pytest.fixture
    def team(self, world, directory, zoe):
        made = directory.add_group("Équipe", zoe)
        UserGroup.objects.get(name="Équipe").members.update(valid_until=world.now + timedelta(days=5))
        return made["id"]

    @staticmethod
    def ends(email):
        rows = UserGroup.objects.get(name="Équipe").members.filter(membership__user__email=email)
        return list(rows.values_list("valid_until", flat=True))

    def test_stay_when_others_are_put_in_the_group(self, world, directory, team, bob):
        answer = directory.patch(
            f"/Groups/{team}", {"op": "add", "path": "members", "value": [{"value": bob}]}
        )
        assert answer.status_code in (200, 204)
        assert self.ends("zoe@acme.example") == [world.now + timedelta(days=5)]
        assert self.ends("bob@acme.example") == [None]

    def test_that_are_gone_with_a_leaver_bring_no_place_without_end_back(self, directory, team, zoe):
        directory.patch(f"/Users/{zoe}", OFF)
        assert directory.patch(f"/Users/{zoe}", ON).json()["active"]
        assert self.ends("zoe@acme.example") == []

    def test_follow_the_person_to_another_account(self, world, directory, team, zoe):
        make_member(world.client_b, "Zoé B", email="zoe.b@acme.example")
        address = {"op": "replace", "path": "userName", "value": "zoe.b@acme.example"}
        assert directory.patch(f"/Users/{zoe}", address).status_code == 200
        assert self.ends("zoe.b@acme.example") == [world.now + timedelta(days=5)]
        assert [one["value"] for one in directory.get(f"/Groups/{team}").json()["members"]] == [zoe]

    def test_follow_the_person_past_a_colleague_whose_last_day_is_over(
        self, world, directory, team, zoe, bob
    ):
        directory.patch(f"/Groups/{team}", {"op": "add", "path": "members", "value": [{"value": bob}]})
        make_member(world.client_b, "Zoé B", email="zoe.b@acme.example")
        Membership.objects.filter(pk=world.bob.pk).update(until=world.now)
        address = {"op": "replace", "path": "userName", "value": "zoe.b@acme.example"}
        assert directory.patch(f"/Users/{zoe}", address).status_code == 200
        assert self.ends("zoe.b@acme.example") == [world.now + timedelta(days=5)]
