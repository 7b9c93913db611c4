"""A directory whose request cannot be written down is told so in SCIM's words."""

from tests.full_disk import Disk, disk
from tests.integration.scim.conftest import Directory

__all__ = ["disk"]


def test_is_503_and_nothing_was_done(directory: Directory, disk: Disk) -> None:
    directory.get("/Users")
    disk.fill()
    refused = directory.call("POST", "/Users", {"userName": f"{'n' * 60}@acme.example"})
    assert refused.status_code == 503, refused.content
    assert refused.json()["status"] == "503"
    assert refused.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    disk.make_room()
    assert directory.found('/Users?filter=userName sw "nnn"') == []
