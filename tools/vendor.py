"""Refresh the browser files kept under `portal/static/vendor` from the packages that `vendor.toml` lists.

Usage: `python tools/vendor.py [--check]`. Each package is fetched with `npm pack` (whichever registry the npm
client is set up with), its sha512 is compared with the one written in `vendor.toml`, and the files named
there are copied. `--check` copies nothing and exits 1 when a kept file differs from the package's. A wrong
checksum stops everything before a single file is written.
"""

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src" / "gridgate" / "portal" / "static" / "vendor"


def fetch(package: dict[str, str], folder: Path) -> Path:
    """The package's archive, as the npm client delivers it."""
    wanted = f"{package['name']}@{package['version']}"
    done = subprocess.run(
        ["npm", "pack", wanted, "--silent", "--pack-destination", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    return folder / done.stdout.strip().splitlines()[-1]


def verify(archive: Path, integrity: str) -> None:
    """Stop unless the archive has the sha512 that `vendor.toml` records."""
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != integrity:
        raise SystemExit(
            f"{archive.name}: sha512 differs from vendor.toml.\n  expected {integrity}\n  received {found}"
        )


def wanted_files(package: dict[str, object], archive: Path) -> dict[Path, bytes]:
    """Where each wanted file goes, and its bytes."""
    found: dict[Path, bytes] = {}
    with tarfile.open(archive) as opened:
        for name in package["files"]:  # type: ignore[attr-defined]
            member = opened.extractfile(f"package/{name}")
            if member is None:
                raise SystemExit(f"{package['name']}: {name} is not a file of the package")
            found[TARGET / str(package["to"]) / PurePosixPath(name).name] = member.read()
    return found


def main(arguments: list[str]) -> int:
    listed = tomllib.loads((ROOT / "vendor.toml").read_text(encoding="utf-8"))["package"]
    files: dict[Path, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for package in listed:
            archive = fetch(package, Path(folder))
            verify(archive, package["integrity"])
            files |= wanted_files(package, archive)
    if "--check" in arguments:
        different = [
            path for path, content in files.items() if not path.is_file() or path.read_bytes() != content
        ]
        for path in different:
            print(f"differs: {path.relative_to(ROOT)}")
        return 1 if different else 0
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(f"{path.relative_to(ROOT)}  {len(content):,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
