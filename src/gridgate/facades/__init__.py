"""The published interfaces, one folder each. Adding one is copying a folder and naming it here.

A façade has `wire` (a module, or several; pure: from bytes and to bytes, no HTTP, no SQL), `errors.py` (its words for
what goes wrong), `routes.py` and a `README.md` of what it promises and where it decided. It gets values from
`plane.read`, which it gives its checks and its way to write them, and which logs before it gives them back.
"""

from gridgate.dataplane.http.facade import Facade
from gridgate.facades import enedis, native

FACADES: tuple[Facade, ...] = (enedis, native)
