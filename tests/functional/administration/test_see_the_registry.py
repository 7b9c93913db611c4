"""The operator's registry: figures, what waits, last imports."""

from datetime import date

from gridgate.metering.imports.journal import import_file
from gridgate.metering.models import LoadCurveCollection, PointVersion
from gridgate.metering.operations.collections import set_collection
from gridgate.metering.operations.titles import close_holding
from tests.world import World


class TestTheRegistry:
    def test_counts_the_registry(self, world: World) -> None:
        close_holding(holding=world.p5.holdings.get(), valid_to=date(2026, 1, 1), now=world.now)
        page = world.client("operateur").get("/administration/")
        assert [figure.value for figure in page.context["figures"]] == ["5", "1", "1", "0"]

    def test_lists_the_last_imports(self, world: World) -> None:
        import_file(kind="points", name="parc.csv", content=b"", now=world.now)
        page = world.client("operateur").get("/administration/").content.decode()
        assert "parc.csv" in page
        assert "ligne de commande" in page

    def test_speaks_english(self, world: World) -> None:
        page = world.client("operateur", language="en").get("/administration/").content.decode()
        assert "Companies that hold points" in page
        assert "Nothing waits" in page

    def test_puts_into_service_the_collections_that_wait(self, world: World) -> None:
        PointVersion.objects.filter(metering_point=world.p1.pk).update(meter_type="OTHER")
        set_collection(actor=world.alice, points=[world.p1.pk], state="requested", now=world.now)
        client = world.client("operateur")
        assert [row["id"] for row in client.get("/administration/").context["waiting_rows"]] == [world.p1.pk]
        asked = {"point": [world.p1.pk, world.p2.pk]}
        assert (
            "1 collecte est active"
            in client.post("/administration/collectes/", asked, follow=True).content.decode()
        )
        states = LoadCurveCollection.objects.filter(until=None).values_list("metering_point", "state")
        assert dict(states) == {world.p1.pk: "active"}
