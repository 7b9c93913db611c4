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
    **dict.fromkeys(["DK", "FI", "FO", "GL", "NL", "SD"], 18),
    **dict.fromkeys(["MK", "SI"], 19),
    **dict.fromkeys(["AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"], 20),
    **dict.fromkeys(["CH", "CR", "HR", "LI", "LV"], 21),
    **dict.fromkeys(["BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"], 22),
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

# European Commission, VIES: how the numbers of each member state are made. XI is Northern Ireland.
_VAT: Final = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"(?:\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"[A-Z0-9+*]{12}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"(?:\d{9}|\d{12}|GD\d{3}|HA\d{3})",
}


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
    """Return a VAT number in capitals, with its country: of the EU as VIES takes it, of another country as it is.

    A French one that ends in a SIREN is checked (code général des impôts, annexe 2, article 242 nonies A: the key is
    12 + 3 × the SIREN, modulo 97).

    >>> parse_vat("FR 44 732 829 320")
    'FR44732829320'
    """
    number = _compact(text)
    country, rest = number[:2], number[2:]
    if country == "GR":  # the Commission's code for Greece is not ISO's
        country = "EL"
    pattern = _VAT.get(country)
    if pattern is None:
        if country not in countries() or not re.fullmatch(r"[A-Z0-9]{2,15}", rest):
            raise Unfit("vat_form")
        return number
    if not re.fullmatch(pattern, rest, re.ASCII):
        raise Unfit("vat_country", country=country)
    if country == "FR" and rest.isdecimal() and int(rest[:2]) != (12 + 3 * int(rest[2:])) % 97:
        raise Unfit("check", what="TVA")
    return country + rest


def _compact(text: str) -> str:
    return _GROUPING.sub("", text).upper()
