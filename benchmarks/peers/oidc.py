"""npm's `oidc-provider`, certified, in memory, where node is: tokens and nothing else."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import cpu_seconds, free_port, memory, wait_for

NAME = "oidc-provider"
VERSION = "9.13.3"
HERE = Path(__file__).resolve().parent
PLACE = HERE.parent.parent / "var" / "bench-oidc"
FORM = "grant_type=client_credentials&client_id=tiers1&client_secret=a-long-secret"


class Provider:
    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self._pid = pid

    def cpu_seconds(self) -> float:
        return cpu_seconds(self._pid)

    def memory(self) -> int:
        return memory(self._pid)


@contextmanager
def oidc(folder: Path) -> Iterator[Provider | None]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or not _installed(npm):
        yield None
        return
    shutil.copyfile(HERE / "oidc.mjs", PLACE / "oidc.mjs")  # node looks for modules beside the program
    port, log = free_port(), folder / "oidc.log"
    process = subprocess.Popen(
        [node, "oidc.mjs", str(port)], cwd=PLACE, stdout=log.open("wb"), stderr=subprocess.STDOUT
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/.well-known/openid-configuration", process, log)
        yield Provider(url, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _installed(npm: str) -> bool:
    if (PLACE / "node_modules" / NAME).is_dir():
        return True
    PLACE.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--silent", "--no-save", "--ignore-scripts", f"{NAME}@{VERSION}"]
    if subprocess.run(command, cwd=PLACE, check=False).returncode:
        print(f"{NAME} could not be installed: tokens are measured without it")
        return False
    return True
