# Every human command. `make` alone lists them. On a fresh machine Python 3.11 or newer is all that must be there.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
PORT ?= 8000

export LANG := C.UTF-8
# Containers often set it: then each of the many processes of a run would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

STAGE := $(PYTHON) tools/stage
# A gate answers the same every time: one order of tests, and a file's tests on one worker, with its servers.
PYTEST := $(BIN)/pytest -q -n 2 --dist loadfile -p randomly --randomly-seed=1
QUICK := unit property scenarios conformance architecture access integration

.PHONY: help demo test quick walk fuzz prove lint format bench drills lock vendor messages clean

help: ## list these commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(READY) messages ## set everything up, seed the demo world and serve it on http://127.0.0.1:8000
	$(BIN)/gridgate --data var/demo demo --port $(PORT)

# Two runs: the browser's driver keeps an event loop running in its process, which other tests start of their own.
# Both use one seeded demo world, which lies in a folder of this run.
test: $(READY) messages ## set everything up and run the whole suite; T=tests/unit runs a part
	@$(STAGE) "system's packages" tools/system-packages nginx chromium-headless-shell/chromium
ifdef T
	$(PYTEST) $(T)
else
	@export GRIDGATE_TEST_RUN=$$(mktemp -d -p "$$($(BIN)/python -m tests.memory)") && trap 'rm -rf "$$GRIDGATE_TEST_RUN"' EXIT && \
	  $(STAGE) "tests" $(PYTEST) --durations=10 --ignore=tests/e2e && \
	  $(STAGE) "tests in a browser" $(PYTEST) --durations=10 tests/e2e
endif

quick: $(READY) messages ## run what needs no process beside pytest's own, nor all pages, in a minute or so
	GRIDGATE_HYPOTHESIS=quick $(STAGE) "quick" $(PYTEST) --durations=10 -m "not processes and not large" $(QUICK:%=tests/%)

walk: $(READY) messages ## look at every page in both languages, on a laptop and on a phone in the dark, with all of axe
	tools/system-packages chromium
	GRIDGATE_LOOK=everywhere $(STAGE) "walk" $(PYTEST) tests/e2e

fuzz: $(READY) messages ## look for inputs that break what must hold, and for tests that need another's; never a gate
	GRIDGATE_HYPOTHESIS=fuzz RUST_BACKTRACE=0 $(BIN)/pytest -n 2 --dist loadfile -m hypothesis tests
	$(BIN)/pytest -n 2 --dist loadfile -m "not processes" $(QUICK:%=tests/%) tests/pages tests/functional
	$(BIN)/python -m benchmarks.fuzz --seed $$(date +%s) --minutes 30

prove: ## run .ci/run as CI does, in a clean clone of HEAD; var/proved then names the tree that passed
	tools/prove

lint: $(READY) ## ruff, layout of templates, import contracts, types, lock files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tools.templates --check
	@$(STAGE) "import contracts" $(BIN)/lint-imports
	@$(STAGE) "types" $(BIN)/mypy
	$(BIN)/python tools/check_locks.py

format: $(READY) ## put the code and the templates in the form that lint wants
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m tools.templates

bench: $(READY) messages ## measure all beside peers in the same run; B=--quick for a look, B=--check against the budgets
	-@tools/system-packages wrk postgresql/psql victoria-metrics
	$(BIN)/python -m benchmarks $(B)

drills: $(READY) messages ## do real harm to real instances in temporary folders, and say what was seen; N=half_sent_bodies does one
	$(BIN)/python -m drills $(N)

messages: $(READY) ## compile the English texts
	@$(BIN)/python -m tools.messages

lock: ## choose versions anew and lock them with hashes
	$(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-header --no-emit-index-url --no-annotate \
	  --python-version 3.11 pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-header --no-emit-index-url --no-annotate \
	  --python-version 3.11 --all-extras pyproject.toml -o requirements/dev.txt

vendor: $(READY) ## fetch the browser's libraries and font again, checked by their sha512
	$(BIN)/python tools/vendor.py

clean: ## remove what the commands made
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(READY): requirements/dev.txt requirements/uv.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Install Python 3.11 or newer first."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11; give PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(STAGE) "packages" $(BIN)/uv pip sync -q --require-hashes --compile-bytecode requirements/dev.txt requirements/uv.txt
	$(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q src
	@touch $@
