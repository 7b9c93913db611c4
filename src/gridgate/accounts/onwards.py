"""Where a page may lead on to when the request says where: to an address of this portal, and to nothing else."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def leads_here(request: HttpRequest, address: str) -> bool:
    """Whether it is a whole address of this host. A bare word is none: it would be read as the name of a page, or be
    joined to the address at hand.
    """
    whole = address.startswith("/") or "://" in address
    return whole and url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
