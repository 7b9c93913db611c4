"""Green Button."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from tests.ingest_samples import NORTH_AMERICA, green_button
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

        readings = [(spring, 82800, 5), (spring + 82800, 86400, 6)]
        taken = take(green_button(readings, zone=new_york, rules=NORTH_AMERICA), single=C5)

        assert [block.day for block in taken.blocks] == [date(2026, 3, 8), date(2026, 3, 9)]

    def test_refuses_a_day_that_starts_at_no_midnight(self, take: Take) -> None:
        taken = take(green_button([(NOON, 86400, 5)], zone=(3600, 3600)), single=C5)
        without_clock = take(green_button([(NOON, 86400, 5)]), single=C5)

        assert "is no civil day by the feed's LocalTimeParameters" in taken.reasons[0][1]
        assert "not midnight; the feed has no LocalTimeParameters" in without_clock.reasons[0][1]

    def test_does_not_fail_on_a_clock_beyond_all_arithmetic(self, take: Take) -> None:
        taken = take(green_button([(NOON, 86400, 5)], zone=(2**47 - 1, 1)), single=C5)

        assert "LocalTimeParameters do not say what its clock shows" in taken.reasons[0][1]

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
            ({"flow": 4}, "flowDirection 4 (net) is neither"),
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
        assert where.startswith("line 11, entry 3, block 1, reading 2")
        assert reason in why

    def test_counts_a_cost_alone_and_passes_over_a_cost_beside_a_value(self, take: Take) -> None:
        feed = green_button([(NOON, 3600, 1), (NOON + 3600, 3600, "")])
        feed = feed.replace("<value></value>", "<cost>974</cost>").replace(
            "<value>1<", "<cost>3</cost><value>1<"
        )

        taken = take(feed, single=C5)

        assert taken.report.stored == 1
        place = "line 11, entry 3, block 1, reading 2, 2026-06-01T11:00:00Z"
        assert taken.reasons == [(place, "the reading has a cost and no value; costs are not kept")]

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

    def test_takes_the_types_quality_where_a_reading_has_none(self, take: Take) -> None:
        by_default = green_button([(NOON, 900, 100)], described="<defaultQuality>8</defaultQuality>")
        with_own = green_button([(NOON, 900, 100)], quality=0, described="<defaultQuality>8</defaultQuality>")
        projected = green_button([(NOON, 900, 100)], described="<defaultQuality>12</defaultQuality>")

        qualities = [
            block.quality[block.said].tolist()
            for block in (take(by_default, single=C5).block, take(with_own, single=C5).block)
        ]
        assert qualities == [[Quality.ESTIMATED], [Quality.MEASURED]]
        assert "a projection (defaultQuality 12" in take(projected, single=C5).reasons[0][1]

    def test_lays_readings_without_a_period_end_to_end(self, take: Take) -> None:
        feed = _without_periods(3, (NOON, 2700), length=900)

        block = take(feed.replace("<value>1<", "<value><"), single=C5).block

        assert (np.flatnonzero(block.said).tolist(), block.values[block.said].tolist()) == ([48, 50], [0, 8])

    @pytest.mark.parametrize(
        ("count", "interval", "length", "reason"),
        [
            (3, (NOON, 3600), 900, "3 readings of 900 s cannot fill the 3600 s of their block"),
            (3, None, 900, "its block no interval"),
            (3, (NOON, 2700), None, "its ReadingType no intervalLength"),
            (3, (NOON, 0), 2**47 - 1, "its ReadingType no intervalLength"),
        ],
    )
    def test_does_not_guess_where_readings_without_a_period_stand(
        self, take: Take, count: int, interval: tuple[int, int] | None, length: int | None, reason: str
    ) -> None:
        taken = take(_without_periods(count, interval, length=length), single=C5)

        assert (taken.report.stored, len(taken.reasons)) == (0, count)
        assert all(reason in why for _, why in taken.reasons)

    def test_takes_the_length_of_the_type_where_a_period_has_none(self, take: Take) -> None:
        feed = green_button([(NOON, 900, 100)], described="<intervalLength>900</intervalLength>")

        block = take(feed.replace("<duration>900</duration>", ""), single=C5).block

        assert block.key.resolution is Resolution.PT15M

    def test_sets_aside_what_is_outside_the_interval_of_its_block(self, take: Take) -> None:
        readings = [(NOON, 3600, 5), (NOON + 10 * 86400, 3600, 6)]

        taken = take(green_button(readings, interval=(NOON, 86400)), single=C5)

        assert taken.report.stored == 1
        assert "outside the interval that its block declares" in taken.reasons[0][1]

    def test_takes_the_25_hours_of_a_day_whose_block_declares_24(self, take: Take) -> None:
        midnight = 1761429600  # 26 October 2025 in Paris
        readings = [(midnight + 900 * quarter, 900, 5) for quarter in range(100)]

        assert take(green_button(readings, interval=(midnight, 86400)), single=C5).report.stored == 100

    @pytest.mark.parametrize("step", [300, 900, 1800, 3600])
    def test_takes_an_interval_that_names_its_last_second_for_the_whole(self, take: Take, step: int) -> None:
        block = take(green_button([(NOON, step - 1, 5), (NOON + step, step - 1, 6)]), single=C5).block

        assert (block.key.resolution.seconds, block.values.sum()) == (step, 11 * 3600 // step)

    def test_takes_no_interval_for_longer_than_the_next_leaves_it(self, take: Take) -> None:
        taken = take(green_button([(NOON, 3599, 5), (NOON + 3599, 1, 6)]), single=C5)

        assert taken.report.stored == 0
        assert "the value covers 3599 s" in taken.reasons[0][1]

    @pytest.mark.parametrize("offset", [3600, 0])
    def test_does_not_take_days_of_a_fixed_offset_for_civil_days(self, take: Take, offset: int) -> None:
        summer = (MIDNIGHT + 7200 - offset, 86400, 5)

        taken = take(green_button([summer], zone=(3600, 3600)), single=C5)

        assert taken.report.stored == 0
        assert "is no civil day by the feed's LocalTimeParameters" in taken.reasons[0][1]

    def test_takes_no_interval_of_25_hours_for_a_day_that_has_24(self, take: Take) -> None:
        taken = take(green_button([(MIDNIGHT, 90000, 5)]), single=C5)

        assert "ends at 2026-06-01T23:00:00Z, not at midnight" in taken.reasons[0][1]

    def test_tells_which_clock_is_a_usage_points(self, take: Take) -> None:
        day = green_button([(1_773_550_800 - 8 * 86400, 86400, 5)], zone=(-18000, 3600), rules=NORTH_AMERICA)
        other = day[
            day.index("<entry><content><LocalTime") : day.index("</LocalTimeParameters></content></entry>")
        ]
        other = other.replace("<entry>", '<entry><link rel="self" href="LocalTimeParameters/9"/>').replace(
            "-18000", "0"
        )
        two = day.replace(
            "<entry><content><LocalTime",
            f"{other}</LocalTimeParameters></content></entry><entry><content><LocalTime",
        )
        named = two.replace(
            "<entry><content><LocalTime",
            '<entry><link rel="self" href="LocalTimeParameters/1"/><content><LocalTime',
        )
        linked = named.replace(
            "<content><UsagePoint", '<link rel="related" href="LocalTimeParameters/1"/><content><UsagePoint'
        )

        assert "several LocalTimeParameters" in take(named, single=C5).reasons[0][1]
        assert take(linked, single=C5).block.day == date(2026, 3, 7)

    def test_keeps_registers_by_part_of_the_tariff(self, take: Take) -> None:
        peak = green_button([(NOON, 0, 1000)], accumulation=1, described="<tou>1</tou>")
        of_readings = green_button([(NOON, 0, 1000), (NOON, 0, 5000)], accumulation=1)
        of_readings = of_readings.replace("</value>", "</value><tou>1</tou>", 1).replace(
            "5000</value>", "5000</value><tou>2</tou>"
        )

        assert take(peak, single=C5).block.key.register == "TOU1"
        registers = {
            block.key.register: int(block.values[0]) for block in take(of_readings, single=C5).blocks
        }
        assert registers == {"TOU1": 1000, "TOU2": 5000}

    def test_takes_no_unreadable_part_of_a_tariff_for_none(self, take: Take) -> None:
        feed = green_button([(NOON, 900, 5)]).replace("</value>", "</value><tou>peak</tou>")

        assert "is not a whole number" in take(feed, single=C5).reasons[0][1]

    def test_takes_no_part_of_a_tariff_for_the_points_curve(self, take: Take) -> None:
        of_type = green_button([(NOON, 900, 5)], described="<tou>1</tou>")
        of_readings = green_button([(NOON, 900, 5), (NOON, 900, 6), (NOON + 900, 900, 7)])
        of_readings = of_readings.replace("</value>", "</value><tou>1</tou>", 1).replace(
            "6</value>", "6</value><tou>2</tou>"
        )

        assert "one part of a tariff (tou 1)" in take(of_type, single=C5).reasons[0][1]
        taken = take(of_readings, single=C5)
        assert (taken.report.stored, [item.value for item in taken.report.quarantined]) == (1, ["5", "6"])
        assert all("by parts of a tariff (tou 1; tou 2)" in why for _, why in taken.reasons)

    @pytest.mark.parametrize(
        ("described", "stored"),
        [("", 1), ("<phase>0</phase>", 1), ("<phase>224</phase>", 1), ("<phase>769</phase>", 1)],
    )
    def test_takes_what_is_of_all_phases(self, take: Take, described: str, stored: int) -> None:
        assert take(green_button([(NOON, 900, 5)], described=described), single=C5).report.stored == stored

    @pytest.mark.parametrize(
        ("feed", "reason"),
        [
            (
                {"described": "<phase>64</phase>"},
                "of phase B alone (phase 64): the file has none like it of phases A and C",
            ),
            (
                {"described": "<phase>528</phase>"},
                "of phase S1 alone (phase 528): the file has none like it of phase S2",
            ),
            ({"described": "<phase>132</phase>"}, "of phase 132, which is not the whole"),
            (
                {"described": "<phase>128</phase>", "unit": 61, "qualifier": 8},
                "maxima of phases do not add up",
            ),
            ({"described": "<kind>48</kind>"}, "transformer losses (kind 48)"),
            (
                {
                    "described": "<interharmonic><numerator>3</numerator><denominator>1</denominator></interharmonic>"
                },
                "one harmonic",
            ),
            ({"accumulation": 6}, "accumulationBehaviour 6 (indicating) is neither"),
            ({"accumulation": 12}, "accumulationBehaviour 12 (instantaneous) is neither"),
            (
                {"accumulation": 12, "unit": 38},
                "accumulationBehaviour 12 (instantaneous) is not of one interval",
            ),
            (
                {"accumulation": 3, "unit": 61, "qualifier": 8},
                "accumulationBehaviour 3 (cumulative) is not of one interval",
            ),
            ({"qualifier": 8}, "no plain energy (dataQualifier 8)"),
            ({"unit": 38, "qualifier": 5}, "no power that flowed (dataQualifier 5)"),
        ],
    )
    def test_names_what_keeps_a_value_from_being_the_points(
        self, take: Take, feed: dict[str, Any], reason: str
    ) -> None:
        taken = take(green_button([(MIDNIGHT, 900, 5)], **feed), single=C5)

        assert taken.report.stored == 0
        assert reason in taken.reasons[0][1]

    def test_adds_phases_where_all_tell_the_time(self, take: Take) -> None:
        feed = green_button([(NOON, 900, 5), (NOON + 900, 900, 6)], described="<phase>128</phase>")
        for number, code in (("02", 64), ("03", 32)):
            feed = _with_another(
                feed, number, [(NOON, 900, 10), (NOON + 1800, 900, 7)], f"<phase>{code}</phase>"
            )

        taken = take(feed, single=C5)

        assert taken.block.values[taken.block.said].tolist() == [25 * 4]
        assert [(item.value, item.reason.partition("none of ")[2]) for item in taken.report.quarantined] == [
            ("6", "phases B and C for this time"),
            ("7", "phase A for this time"),
            ("7", "phase A for this time"),
        ]

    def test_keeps_the_whole_where_the_file_has_phases_too(self, take: Take) -> None:
        feed = _with_another(green_button([(NOON, 900, 30)]), "02", [(NOON, 900, 10)], "<phase>64</phase>")

        taken = take(feed, single=C5)

        assert taken.block.values.max() == 120
        assert "the file has a curve of all phases too" in taken.reasons[0][1]

    def test_takes_neither_of_two_curves_that_differ(self, take: Take) -> None:
        differing = _with_another(
            green_button([(NOON, 900, 30), (NOON + 900, 900, 1)]), "02", [(NOON, 900, 10)], ""
        )
        alike = _with_another(green_button([(NOON, 900, 30)]), "02", [(NOON, 900, 30)], "")

        taken = take(differing, single=C5)
        assert (taken.report.stored, len(taken.reasons)) == (1, 2)
        assert all("MeterReading 01 and 02 tell this time differently" in why for _, why in taken.reasons)
        assert take(alike, single=C5).report.stored == 1

    def test_takes_quarters_and_days_of_one_meter(self, take: Take) -> None:
        feed = _with_another(green_button([(MIDNIGHT, 900, 30)]), "02", [(MIDNIGHT, 86400, 9000)], "")

        assert {block.key.kind for block in take(feed, single=C5).blocks} == {
            Kind.LOAD_CURVE,
            Kind.DAILY_ENERGY,
        }

    def test_does_not_choose_between_two_descriptions_of_one_type(self, take: Take) -> None:
        feed = green_button([(NOON, 900, 5)])
        kind = feed[feed.rindex("<entry>") : feed.index("</feed>")]
        other = kind.replace("<powerOfTenMultiplier>0", "<powerOfTenMultiplier>3")

        assert take(feed.replace("</feed>", f"{kind}</feed>"), single=C5).report.stored == 1
        taken = take(feed.replace("</feed>", f"{other}</feed>"), single=C5)
        assert "describes ReadingType/07 more than once, and not alike" in taken.reasons[0][1]

    @pytest.mark.parametrize("direction", list(FlowDirection))
    def test_takes_the_direction_given_where_the_file_has_none(
        self, take: Take, direction: FlowDirection
    ) -> None:
        unsaid, said = green_button([(NOON, 900, 5)], flow=0), green_button([(NOON, 900, 5)], flow=19)

        assert take(unsaid, single=INJECTING, direction=direction).block.key.direction is direction
        assert (
            take(said, single=INJECTING, direction=direction).block.key.direction is FlowDirection.INJECTION
        )

    @pytest.mark.parametrize(
        "name",
        [
            "/RetailCustomer/1/UsagePoint/01",
            "https://utility.example/DataCustodian/espi/1_1/resource/RetailCustomer/1/UsagePoint/01",
            "/DataCustodian/espi/1_1/resource/RetailCustomer/1/UsagePoint/01",
            "urn:uuid:4217A3D3-60E0-46CD-A5AF-2A2D091F397E",
        ],
    )
    def test_finds_the_meter_as_the_feed_writes_it(self, take: Take, name: str) -> None:
        root = "https://utility.example/DataCustodian/espi/1_1/resource/"
        absolute = green_button([(NOON, 900, 5)]).replace('href="Retail', f'href="{root}Retail')
        based = green_button([(NOON, 900, 5)]).replace("<feed ", f'<feed xml:base="{root}" ')

        assert [take(feed, table={name: C5}).report.stored for feed in (absolute, based)] == [1, 1]

    @pytest.mark.parametrize(
        ("first", "second", "held"), [("01", "02", 20), ("02", "01", 10), ("01", "", 10)]
    )
    def test_lets_the_later_of_two_entries_hold(self, take: Take, first: str, second: str, held: int) -> None:
        feed = green_button([(NOON, 3600, 10)])
        start = feed.index('<entry><link rel="up"')
        block = feed[start : feed.index("</entry>", start) + 8]
        both = [
            block.replace(">10<", f">{value}<").replace(
                "<content>", f"<updated>2026-06-{day}T00:00:00Z</updated><content>" if day else "<content>"
            )
            for value, day in ((10, first), (20, second))
        ]

        taken = take(feed.replace(block, "".join(both)), single=C5)

        assert taken.block.values.max() == held
        assert f"({held}), which is kept" in taken.reasons[0][1]

    @pytest.mark.parametrize("root", ["https://[", "http://[/resource/", "//"])
    def test_does_not_fail_on_a_link_that_is_no_address(self, take: Take, root: str) -> None:
        feed = green_button([(NOON, 900, 5)]).replace('href="Retail', f'href="{root}Retail')

        assert take(feed, single=C5).report.stored == 1

    def test_follows_a_clock_of_the_other_hemisphere(self, take: Take) -> None:
        sydney, rules = (36000, 3600), ("A40E2000", "440E3000")
        new_year = 1_767_186_000  # 2026-01-01T00:00 in Sydney

        taken = take(green_button([(new_year, 86400, 5)], zone=sydney, rules=rules), single=C5)

        assert taken.block.day == date(2026, 1, 1)

    def test_reads_the_date_of_a_single_entry(self, take: Take) -> None:
        feed = green_button([(NOON, 900, 5)], updated="2026-10-01T00:00:00Z")
        entry = feed.replace("<feed ", "<entry ").replace("</feed>", "</entry>")

        taken = take(entry, single=C5)

        assert taken.store.source is not None
        assert taken.store.source.published_at == 1_790_812_800_000

    def test_says_where_in_a_feed_of_one_line(self, take: Take) -> None:
        feed = green_button([(NOON, 900, 5), (NOON, 900, 6)]).replace("\n", "")

        ((where, why),) = take(feed, single=C5).reasons

        assert where == "line 1, entry 3, block 1, reading 2, 2026-06-01T10:00:00Z"
        assert "already told by line 1, entry 3, block 1, reading 1, 2026-06-01T10:00:00Z (5)" in why

    def test_says_in_which_entry_a_feed_of_one_line_is_wrong(self, take: Take) -> None:
        feed = green_button([(NOON, 900, 5)]).replace("\n", "").replace(">0</powerOf", ">x</powerOf")

        assert take(feed, single=C5).reasons[0][0] == "line 1, entry 4"

    def test_prints_no_text_of_thousands_of_characters(self, take: Take) -> None:
        ((_, why),) = take(green_button([(NOON, 900, "9" * 5000)]), single=C5).reasons

        assert len(why) < 200


def _without_periods(count: int, interval: tuple[int, int] | None, *, length: int | None) -> str:
    described = "" if length is None else f"<intervalLength>{length}</intervalLength>"
    feed = green_button([(0, 0, value) for value in range(count)], interval=interval, described=described)
    return feed.replace("<timePeriod><duration>0</duration><start>0</start></timePeriod>", "")


def _with_another(feed: str, number: str, readings: list[tuple[int, int, object]], described: str) -> str:
    """The feed with another MeterReading of the same usage point, of a type of its own."""
    other = green_button(readings, described=described)
    other = other[other.index('<entry><link rel="self"') : other.index("</feed>")]
    other = other.replace("MeterReading/01", f"MeterReading/{number}").replace(
        "ReadingType/07", f"ReadingType/{number}"
    )
    return feed.replace("</feed>", f"{other}</feed>")
