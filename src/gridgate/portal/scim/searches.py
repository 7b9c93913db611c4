"""How searches are read: filters, pages, and which attributes are wanted."""

import re
from collections.abc import Mapping
from typing import Any

from scim2_models import Context, Resource, ResponseParameters, SearchRequest

from gridgate.portal.scim.resources import TOLERANT


def read_search(models: Any, query: Mapping[str, Any]) -> SearchRequest[Any]:
    """A search, of the parameters of an address or of the body of a POST; other parameters are dropped."""
    search: Any = SearchRequest.__class_getitem__(models)
    read: SearchRequest[Any] = search.model_validate(
        query, scim_ctx=Context.SEARCH_REQUEST, scim_policy=TOLERANT
    )
    return read


def read_parameters(model: type[Resource[Any]], query: Mapping[str, Any]) -> ResponseParameters[Any]:
    parameters: Any = ResponseParameters.__class_getitem__(model)
    wanted = {name: query[name] for name in ("attributes", "excludedAttributes") if name in query}
    read: ResponseParameters[Any] = parameters.model_validate(wanted, scim_policy=TOLERANT)
    return read


def asks_for(parameters: ResponseParameters[Any], attribute: str) -> bool:
    """Whether the answer is to hold an attribute that is returned by default."""
    if parameters.attributes:
        return any(head(str(path).rpartition(":")[2]) == attribute.lower() for path in parameters.attributes)
    return all(
        str(path).lower().rpartition(":")[2] != attribute.lower()
        for path in parameters.excluded_attributes or ()
    )


def head(name: str) -> str:
    """The attribute that a path without a schema begins with."""
    return re.split(r"[.\[\s]", name, maxsplit=1)[0].lower()
