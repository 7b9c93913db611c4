"""How large a body each address of the portal takes: a form's, or that of the files its page asks for."""

import re
from typing import Final

FORM: Final = 2**20
"""What people type; a page of forms is refused by Django beyond a thousand fields."""
FILES_AT_ONCE: Final = 12
"""Documents of one questionnaire section, each as large as `GRIDGATE_ATTACHMENT_MEGABYTES` says."""
_AROUND: Final = 2**20
"""The other fields of a form with files, and what stands between them."""
_ADDRESSES: Final = (
    # A page says itself what is wrong with a file that is somewhat too large.
    (re.compile(r"/administration/import/"), 24 * 2**20),
    (re.compile(r"/partage/recus/verifier/"), 12 * 2**20),
    # General terms: as much as Django keeps of a form.
    (re.compile(r"/administration/securite/conditions/"), 5 * 2**19),
    (re.compile(r"/scim/v2/.*"), 3 * 2**20),
)
_SECTION: Final = re.compile(r"/questionnaire/[^/]+/[0-9]+/")


def largest_body(path: str, attachment_megabytes: int) -> int:
    """In bytes.

    >>> largest_body("/compte/", 10) == FORM
    True
    >>> largest_body("/questionnaire/KYC-2027-K7Q4M/3/", 10) // 2**20
    121
    """
    if _SECTION.fullmatch(path):
        return FILES_AT_ONCE * attachment_megabytes * 2**20 + _AROUND
    return next((size for address, size in _ADDRESSES if address.fullmatch(path)), FORM)
