"""Run the drills named, or all: each module of this folder that has a `run`. Exit 1 when one did not see what it must."""

import importlib
import pkgutil
import sys

import drills

HELPERS = {"__main__", "instance"}


def main(names: list[str]) -> int:
    found = sorted(
        module.name for module in pkgutil.iter_modules(drills.__path__) if module.name not in HELPERS
    )
    if unknown := [name for name in names if name not in found]:
        print(f"no drill {', '.join(unknown)}; there are {', '.join(found)}", file=sys.stderr)
        return 2
    wanted = names or found
    seen = 0
    for name in wanted:
        print(name, flush=True)
        try:
            seen += bool(
                importlib.import_module(f"drills.{name}").run(lambda line: print(f"  {line}", flush=True))
            )
        except Exception as error:  # noqa: BLE001 -- the others are still done
            print(f"  broke off: {type(error).__name__}: {error}", flush=True)
    print(f"{seen} of {len(wanted)} drills saw what they must")
    return 0 if seen == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
