"""XML that is damaged, or is not what it says: nothing is taken, and the reason is the true one, in every format."""

from collections.abc import Callable

import pytest

from tests.ingest_samples import green_button, r50
from tests.unit.dataplane.ingest.conftest import C5, Taken

Take = Callable[..., Taken]
FEED = green_button([(1_780_308_000, 900, 100)])
SAMPLES = {"espi": FEED, "r50": r50(C5, ["2026-06-01T00:30:00+02:00"], [100])}
LAUGHS = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 20}">' for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda xml: xml.replace("UTF-8", "UTF-16"), "not of the encoding that the XML declares"),
        (
            lambda xml: xml.replace("UTF-8", "IBM037"),
            "the encoding that the XML declares is none that is read",
        ),
        (lambda xml: f"\n{xml}", "something stands before the XML declaration"),
        (lambda xml: xml + xml, "Leave one XML document in the file"),
        (lambda xml: f"{xml}\0\0", "Leave one XML document in the file"),
        (
            lambda xml: xml.replace("?>", f"?>{LAUGHS}]>", 1).replace(">100<", ">&g;<"),
            "declares a document type",
        ),
        (lambda xml: xml.replace("?>", f"?><!-- -->{LAUGHS}]>", 1), "declares a document type"),
        (lambda xml: xml.replace(">100<", ">&eacute;<"), "Entity 'eacute' not defined"),
        (lambda xml: xml.replace(">100<", ">1\x0000<"), "the XML is malformed (Invalid character"),
        (lambda xml: xml.replace(">100<", f">{'<a>' * 300}{'</a>' * 300}<"), "beyond what is read of one"),
        (lambda xml: xml[: xml.index(">100<") + 4], "Fetch the file again and compare its size"),
    ],
)
def test_says_what_is_wrong(take: Take, sample: str, harm: Callable[[str], str], reason: str) -> None:
    taken = take(harm(SAMPLES[sample]), single=C5)

    ((where, why),) = taken.reasons
    assert taken.report.refused
    assert reason in why
    assert "line 0" not in where
    assert "\n" not in why


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "UTF-8"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_reads_the_encoding_that_is_declared(take: Take, sample: str, encoding: str) -> None:
    xml = SAMPLES[sample].replace("UTF-8", encoding).replace("?>", "?><!-- é -->", 1)

    assert take(xml.encode(encoding), single=C5).report.stored == 1


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (FEED.replace("http://naesb", "https://naesb"), "namespace « https://naesb.org/espi »"),
        (FEED.replace("org/espi", "org/espi/"), "namespace « http://naesb.org/espi/ »"),
        (FEED.replace(' xmlns="http://www.w3.org/2005/Atom"', ""), "no entry of Atom"),
        (
            SAMPLES["r50"].replace("<R50>", '<R50 xmlns="urn:x">'),
            "namespace « urn:x »; those read here are in no namespace",
        ),
        (FEED.replace("IntervalReading", "Summary"), "has no reading"),
    ],
)
def test_names_the_namespace_that_hides_the_values(take: Take, xml: str, reason: str) -> None:
    taken = take(xml, single=C5)

    assert taken.report.refused
    assert reason in taken.reasons[0][1]
