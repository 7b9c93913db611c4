"""Numbers of bank accounts, banks and taxable persons, as people type them, and their check rules.

Each `parse_…` returns the canonical text or raises `Unfit`, whose code and details a screen turns into words.
"""

import re
from typing import Final

from gridgate.kyc.countries import countries


class Unfit(Exception):
    """An answer that will not do: why, and the figures that say it."""

    def __init__(self, code: str, **details: object) -> None:
        self.code, self.details = code, details
        super().__init__(code)


_GROUPING: Final = re.compile(r"[\s.\-/]+")

# SWIFT, IBAN Registry: how long an account number is in each country that has them.
_IBAN_LENGTHS: Final = {
    **dict.fromkeys(["NO"], 15),
    **dict.fromkeys(["BE"], 16),
    **dict.fromkeys(["DK", "FI", "FK", "FO", "GL", "NL", "SD"], 18),
    **dict.fromkeys(["MK", "SI"], 19),
    **dict.fromkeys(["AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"], 20),
    **dict.fromkeys(["CH", "HR", "LI", "LV"], 21),
    **dict.fromkeys(["BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA"], 22),
    **dict.fromkeys(["AE", "GI", "IL", "IQ", "OM", "SO", "TL"], 23),
    **dict.fromkeys(["AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"], 24),
    **dict.fromkeys(["LY", "PT", "ST"], 25),
    **dict.fromkeys(["IS", "TR"], 26),
    **dict.fromkeys(["BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"], 27),
    **dict.fromkeys(["AL", "AZ", "BY", "CY", "DO", "GT", "HN", "HU", "LB", "NI", "PL", "SV"], 28),
    **dict.fromkeys(["BR", "EG", "PS", "QA", "UA"], 29),
    **dict.fromkeys(["JO", "KW", "MU", "YE"], 30),
    **dict.fromkeys(["MT", "SC"], 31),
    **dict.fromkeys(["LC"], 32),
    **dict.fromkeys(["RU"], 33),
}

_VAT_PREFIXES: Final = {"EL": "GR", "XI": "GB"}
"""The Commission's codes that are not ISO's: Greece, and Northern Ireland, whose numbers are of the United Kingdom's form
(Council Directive 2006/112/EC, article 215, as Directive (EU) 2020/1756 amends it).
"""


def parse_iban(text: str) -> str:
    """Return an International Bank Account Number in capitals (ISO 13616: length of the country, modulo 97).

    >>> parse_iban("fr76 3000 6000 0112 3456 7890 189")
    'FR7630006000011234567890189'
    """
    number = _compact(text)
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]*", number):
        raise Unfit("iban_form")
    country = number[:2]
    expected = _IBAN_LENGTHS.get(country)
    if expected is None:
        raise Unfit("iban_country", country=country)
    if len(number) != expected:
        raise Unfit("iban_length", found=len(number), expected=expected, country=country)
    digits = "".join(str(int(char, 36)) for char in number[4:] + number[:4])
    if int(digits) % 97 != 1:
        raise Unfit("check", what="IBAN")
    return number


def parse_bic(text: str) -> str:
    """Return a Business Identifier Code in capitals (ISO 9362: 8 or 11 characters, the 5th and 6th a country).

    >>> parse_bic("bnpafrpp xxx")
    'BNPAFRPPXXX'
    """
    code = _compact(text)
    if not re.fullmatch(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", code):
        raise Unfit("bic_form", found=len(code))
    if code[4:6] not in countries():
        raise Unfit("bic_country", country=code[4:6])
    return code


def parse_vat(text: str) -> str:
    """Return a VAT number in capitals, with its country: checked by the rules of each country that the library knows,
    its check digits included, and of another country as it is.

    >>> parse_vat("FR 44 732 829 320")
    'FR44732829320'
    """
    from stdnum import get_cc_module  # one module a country: only what is asked for is loaded
    from stdnum.exceptions import InvalidChecksum, ValidationError

    number = _compact(text)
    country, rest = number[:2], number[2:]
    if country == "GR":  # the Commission's code for Greece is not ISO's
        country = "EL"
    iso = _VAT_PREFIXES.get(country, country)
    if iso not in countries() or not re.fullmatch(r"[A-Z0-9+*]{2,15}", rest):
        raise Unfit("vat_form")
    # A Swiss one is its company's number, with a suffix or without.
    swiss = iso == "CH" and rest[-1:].isdecimal()
    rules = get_cc_module(iso.lower(), "uid" if swiss else "vat")
    if rules is None:
        return number
    try:
        rules.validate(number if iso == "CH" else rest)
    except InvalidChecksum:
        raise Unfit("check", what="TVA") from None
    except ValidationError:
        raise Unfit("vat_country", country=country) from None
    return country + rest


def _compact(text: str) -> str:
    return _GROUPING.sub("", text).upper()
