"""The data plane of a test's folder, for servers that tests start as processes of their own."""

import os
from pathlib import Path

from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.http.app import create_app
from gridgate.facades import FACADES

_folder = Path(os.environ["GRIDGATE_TEST_FOLDER"])

app = create_app(
    DataPlaneConfig(
        registry=_folder / "registry.sqlite3",
        measurements=_folder / "measurements.sqlite3",
        access_log=_folder / "accesslog",
        process=f"test-{os.getpid()}",
        request_log=False,
    ),
    FACADES,
)
