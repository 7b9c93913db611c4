"""Countries: the codes that there are, and their names."""

from gridgate.kyc.countries import countries, in_order, name_of


def test_there_are_those_of_iso_3166_and_kosovo() -> None:
    assert len(countries()) == 250
    assert {"FR", "RE", "XK", "AQ", "TW"} <= countries()
    assert not {"EU", "ZZ", "XA", "AC", "IC"} & countries()


def test_a_name_is_in_the_language_asked_for() -> None:
    assert (name_of("AE", "fr"), name_of("AE", "en")) == ("Émirats arabes unis", "United Arab Emirates")
    assert name_of("DE", "nl") == "Duitsland"
    assert name_of("EU", "fr") == "EU"


def test_a_list_is_read_in_the_order_of_its_language() -> None:
    names = [name for _code, name in in_order("fr")]
    assert names.index("Égypte") < names.index("Espagne") < names.index("Finlande")
    assert len(names) == len(countries())
