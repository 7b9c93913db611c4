"""Green Button."""

from collections.abc import Callable
from datetime import date

import pytest

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from tests.ingest_samples import green_button
from tests.unit.dataplane.ingest.conftest import C5, INJECTING, Taken

Take = Callable[..., Taken]
NOON = 1_780_308_000  # 2026-06-01T10:00:00Z, noon in Paris
MIDNIGHT = 1_780_264_800  # 2026-06-01T00:00 in Paris


class TestEspi:
    def test_reads_the_energy_of_intervals_as_a_load_curve(self, take: Take) -> None:
        taken = take(green_button([(NOON, 900, 100), (NOON + 900, 900, 50)]), single=C5)

        block = taken.block
        assert (block.key.kind, block.key.direction) == (Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL)
        assert block.key.resolution is Resolution.PT15M
        assert block.values[48:50].tolist() == [400, 200]
        assert taken.store.source is not None
        assert taken.store.source.published_at == 1_793_491_200_000

    @pytest.mark.parametrize(
        ("multiplier", "value", "watts"), [(3, 2, 2000), (0, 2, 2), (-3, 2500, 2.5), (-9, 1, 1e-9)]
    )
    def test_applies_the_power_of_ten(self, take: Take, multiplier: int, value: int, watts: float) -> None:
        block = take(green_button([(NOON, 3600, value)], multiplier=multiplier), single=C5).block

        assert float(block.values.sum()) * 10.0**block.scale == pytest.approx(watts)

    def test_reads_received_energy_as_injection(self, take: Take) -> None:
        block = take(green_button([(NOON, 3600, 5)], flow=19), single=INJECTING).block

        assert block.key.direction is FlowDirection.INJECTION

    @pytest.mark.parametrize("value", ["1_0", "\uff11\uff12", "\u0663", "9" * 5000])
    def test_reads_whole_numbers_as_xml_writes_them(self, take: Take, value: str) -> None:
        taken = take(green_button([(NOON, 900, 100), (NOON + 900, 900, value)]), single=C5)

        assert taken.report.stored == 1
        assert "is not a whole number of 48 bits" in taken.reasons[0][1]

    @pytest.mark.parametrize(
        ("good", "bad", "told"),
        [
            (">0</powerOf", ">\u0663</powerOf", "powerOfTenMultiplier « \u0663 »"),
            (">3600</tz", ">1h</tz", "tzOffset « 1h »"),
            (">3600</tz", ">9223372036854775807</tz", "tzOffset « 9223372036854775807 »"),
            (">900</duration", ">15 min</duration", "timePeriod/duration « 15 min »"),
        ],
    )
    def test_takes_nothing_unreadable_for_unsaid(self, take: Take, good: str, bad: str, told: str) -> None:
        feed = green_button([(NOON, 900, 100)], zone=(3600, 3600))
        assert take(feed, single=C5).report.stored == 1

        taken = take(feed.replace(good, bad), single=C5)

        assert taken.report.stored == 0
        assert f"{told} is not a whole number" in taken.reasons[0][1]

    @pytest.mark.parametrize("code", ["\uff10", "good"])
    def test_takes_a_quality_that_it_cannot_read_for_estimated(self, take: Take, code: str) -> None:
        feed = green_button([(NOON, 900, 100)], quality=0).replace("<quality>0<", f"<quality>{code}<")

        assert Quality.ESTIMATED in set(take(feed, single=C5).block.quality.tolist())

    def test_leaves_an_unsaid_direction_to_the_point(self, take: Take) -> None:
        feed = green_button([(NOON, 3600, 5)], flow=None)

        assert take(feed, single=C5).block.key.direction is FlowDirection.WITHDRAWAL
        assert "has both" in take(feed, single=INJECTING).reasons[0][1]

    def test_reads_power(self, take: Take) -> None:
        block = take(green_button([(NOON, 900, 400)], unit=38, accumulation=6, qualifier=2), single=C5).block

        assert block.values.sum() == 400

    def test_reads_a_civil_day_as_daily_energy(self, take: Take) -> None:
        block = take(green_button([(MIDNIGHT, 86400, 5000)]), single=C5).block

        assert (block.key.kind, block.day) == (Kind.DAILY_ENERGY, date(2026, 6, 1))

    def test_takes_the_feeds_own_clock_for_its_days(self, take: Take) -> None:
        new_york = (-18000, 3600)
        spring = 1_773_550_800 - 7 * 86400  # 2026-03-08T00:00 in New York, a day of 23 hours

        taken = take(green_button([(spring, 82800, 5), (spring + 82800, 86400, 6)], zone=new_york), single=C5)

        assert [block.day for block in taken.blocks] == [date(2026, 3, 8), date(2026, 3, 9)]

    def test_refuses_a_day_that_starts_at_no_midnight(self, take: Take) -> None:
        taken = take(green_button([(NOON, 86400, 5)], zone=(3600, 3600)), single=C5)
        without_clock = take(green_button([(NOON, 86400, 5)]), single=C5)

        assert "is no civil day by the feed's LocalTimeParameters" in taken.reasons[0][1]
        assert "not midnight" in without_clock.reasons[0][1]

    def test_does_not_fail_on_a_clock_beyond_all_arithmetic(self, take: Take) -> None:
        taken = take(green_button([(MIDNIGHT, 86400, 5)], zone=(2**47 - 1, 1)), single=C5)

        assert "is no civil day by the feed's LocalTimeParameters" in taken.reasons[0][1]

    def test_reads_registers_at_the_end_of_the_interval(self, take: Take) -> None:
        block = take(green_button([(MIDNIGHT - 86400, 86400, 12345)], accumulation=1), single=C5).block

        assert (block.key.kind, block.day) == (Kind.REGISTER_READING, date(2026, 6, 1))

    def test_reads_daily_maxima(self, take: Take) -> None:
        block = take(green_button([(MIDNIGHT, 86400, 6000)], unit=61, qualifier=8), single=C5).block

        assert (block.key.kind, block.values[0]) == (Kind.MAXIMUM_POWER, 6000)

    @pytest.mark.parametrize(
        ("code", "quality"),
        [
            (0, Quality.MEASURED),
            (14, Quality.MEASURED),
            (17, Quality.MEASURED),
            (7, Quality.CORRECTED),
            (8, Quality.ESTIMATED),
            (10, Quality.ESTIMATED),
            (99, Quality.ESTIMATED),
        ],
    )
    def test_says_how_a_value_came_to_be(self, take: Take, code: int, quality: Quality) -> None:
        block = take(green_button([(NOON, 3600, 5)], quality=code), single=C5).block

        assert block.quality[block.said].tolist() == [quality]

    @pytest.mark.parametrize(
        ("feed", "reason"),
        [
            ({"commodity": 7, "unit": 119}, "natural gas (commodity 7)"),
            ({"service": 1}, "for gas (ServiceCategory 1)"),
            ({"service": 2}, "for water"),
            ({"unit": 73}, "VArh (uom 73)"),
            ({"unit": 80}, "money"),
            ({"flow": 4}, "flowDirection 4 is neither"),
            ({"unit": 38, "qualifier": 8}, "extremes of power"),
            ({"unit": 61, "qualifier": 12}, "only maxima"),
            ({"quality": 12}, "a projection (quality 12)"),
            ({"multiplier": 30}, "powerOfTenMultiplier 30"),
        ],
    )
    def test_refuses_other_quantities_value_by_value(
        self, take: Take, feed: dict[str, int], reason: str
    ) -> None:
        taken = take(green_button([(NOON, 3600, 5), (NOON + 3600, 3600, 6)], **feed), single=C5)  # type: ignore[arg-type]

        assert taken.report.stored == 0
        assert [item.value for item in taken.report.quarantined] == ["5", "6"]
        assert all(reason in why for _, why in taken.reasons)

    @pytest.mark.parametrize(
        ("reading", "reason"),
        [
            ((NOON, 0, 5), "covers no time"),
            ((NOON, -900, 5), "covers no time"),
            ((NOON, 7200, 5), "the value covers 120 min"),
            ((NOON, 2592000, 5), "the value covers 43200 min"),
            ((NOON, 3600, "x"), "is not a whole number"),
            ((NOON, 3600, "1.5"), "is not a whole number"),
            ((NOON, 3600, -5), "negative"),
            ((NOON, 300, -(2**63 - 1)), "is not a whole number of 48 bits"),
            ((10**19, 3600, 5), "no readable timePeriod/start"),
        ],
    )
    def test_sets_a_bad_reading_aside(
        self, take: Take, reading: tuple[int, int, object], reason: str
    ) -> None:
        taken = take(green_button([(NOON - 3600, 3600, 1), reading]), single=C5)

        assert taken.report.stored == 1
        ((where, why),) = taken.reasons
        assert where == "line 11"
        assert reason in why

    def test_counts_a_cost_alone_and_passes_over_a_cost_beside_a_value(self, take: Take) -> None:
        feed = green_button([(NOON, 3600, 1), (NOON + 3600, 3600, "")])
        feed = feed.replace("<value></value>", "<cost>974</cost>").replace(
            "<value>1<", "<cost>3</cost><value>1<"
        )

        taken = take(feed, single=C5)

        assert taken.report.stored == 1
        assert taken.reasons == [("line 11", "the reading has a cost and no value; costs are not kept")]

    def test_finds_the_meter_by_any_of_its_names(self, take: Take) -> None:
        for name in ("RetailCustomer/1/UsagePoint/01", "4217A3D3-60E0-46CD-A5AF-2A2D091F397E", "01"):
            assert take(green_button([(NOON, 3600, 5)]), table={name: C5}).report.complete

    @pytest.mark.parametrize(
        ("harm", "reason"),
        [
            (lambda feed: feed[: len(feed) // 2], "the XML is truncated"),
            (lambda feed: feed.replace("</entry>", "</entri>"), "the XML is malformed"),
            (lambda feed: feed.replace('"ReadingType/07"', '"ReadingType/08"'), "no ReadingType describes"),
            (
                lambda feed: feed.replace("<feed", '<!DOCTYPE feed [<!ENTITY x "y">]><feed'),
                "declares a document type",
            ),
            (lambda feed: feed.replace("<updated>", "<updated>\udce9"), "not of the encoding"),
        ],
    )
    def test_takes_nothing_of_a_broken_feed(
        self, take: Take, harm: Callable[[str], str], reason: str
    ) -> None:
        data = harm(green_button([(NOON, 3600, 5)])).encode("utf-8", "surrogateescape")

        taken = take(data, single=C5)

        assert taken.report.stored == 0
        assert reason in taken.reasons[0][1]

    def test_does_not_open_what_an_entity_names(self, take: Take, tmp_path: object) -> None:
        feed = green_button([(NOON, 3600, "&secret;")])
        feed = feed.replace("<feed", '<!DOCTYPE feed [<!ENTITY secret SYSTEM "file:///etc/passwd">]><feed')

        taken = take(feed, single=C5)

        assert taken.report.refused
        assert "root:" not in repr(taken.report)
