"""Lock files carry hashes and cover what pyproject.toml asks for; nothing in the repository names a package index."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = (
    r"--(extra-|default-)?index(-url)?[ =]|^ *(extra-)?index-url *=|registry *= *\"?https?:|\"resolved\" *:"
)
"""What names a package index to pip, uv or npm. The addresses themselves stand nowhere, this file included."""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def naming_an_index() -> list[str]:
    """Lines of the files that git knows, as `file:line`."""
    command = ["git", "grep", "-nIE", "--untracked", "-e", SETTINGS]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode > 1:
        return [f"git grep failed: {found.stderr.strip()}"]
    return [":".join(line.split(":", 2)[:2]) for line in found.stdout.splitlines()]


def main() -> int:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {"run.txt": project["dependencies"]}
    asked["dev.txt"] = asked["run.txt"] + [
        name for extra in project["optional-dependencies"].values() for name in extra
    ]
    faults = []
    for file, requirements in asked.items():
        text = (ROOT / "requirements" / file).read_text(encoding="utf-8")
        if "://" in text or "--index" in text:
            faults.append(f"requirements/{file} names an index: lock again with `make lock`")
        pinned = {canonical(match) for match in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}
        for requirement in requirements:
            name = re.match(r"[A-Za-z0-9._-]+", requirement)
            if name and canonical(name.group()) not in pinned:
                faults.append(f"requirements/{file} lacks {name.group()}: run `make lock`")
        blocks = [block for block in re.split(r"\n(?=\S)", text.strip()) if block]
        bare = [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block]
        faults.extend(f"requirements/{file}: {line} has no hash" for line in bare)
    faults.extend(f"{line}: names a package index" for line in naming_an_index())
    print("\n".join(faults) or "lock files: hashes everywhere, no index named")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
