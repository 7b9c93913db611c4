"""What `deploy/` holds: it is taken by nginx where there is one, and says what the code says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from gridgate.config import cli
from tests.integration.config.certificate import write_certificate

DEPLOY = Path(__file__).parents[3] / "deploy"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@pytest.mark.skipif(NGINX is None, reason="no nginx here")
def test_nginx_takes_the_configuration(tmp_path: Path) -> None:
    said = (DEPLOY / "nginx" / "gridgate.conf").read_text("utf-8")
    write_certificate(tmp_path)
    (tmp_path / "gridgate.conf").write_text(said.replace("/etc/ssl/gridgate", str(tmp_path)), "utf-8")
    logs = f"error_log {tmp_path}/error.log; pid {tmp_path}/pid;"
    kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    folders = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    http = f"access_log off; {folders} include {tmp_path}/gridgate.conf;"
    (tmp_path / "nginx.conf").write_text(f"{logs} events {{}} http {{ {http} }}", "utf-8")
    done = subprocess.run(
        [str(NGINX), "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", sorted(path.name for path in (DEPLOY / "systemd").iterdir()))
def test_a_service_starts_a_command_that_there_is(unit: str) -> None:
    said = (DEPLOY / "systemd" / unit).read_text("utf-8")
    started = re.search(r"^ExecStart=\S+/gridgate (\S+)", said, flags=re.M)
    assert started is not None
    assert started.group(1) in get_command(cli.app).commands  # type: ignore[attr-defined]


def test_a_file_that_takes_all_memory_does_not_stop_the_watcher_over_and_over() -> None:
    """By default systemd stops the service, by SIGTERM, when one of its processes is killed for want of memory."""
    said = (DEPLOY / "systemd" / "gridgate-watch.service").read_text("utf-8")
    assert re.search(r"^OOMPolicy=continue$", said, flags=re.M)
