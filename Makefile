# Every human command. `make` alone lists them. On a fresh machine Python 3.11 or newer is all that must be there.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
PORT ?= 8000

export LANG := C.UTF-8

.PHONY: help demo test lint types format bench lock vendor messages clean

help: ## list these commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(READY) messages ## set everything up, seed the demo world and serve it on http://127.0.0.1:8000
	$(BIN)/gridgate --data var/demo demo --port $(PORT)

# Two runs: the browser's driver keeps an event loop running in its process, which other tests start of their own.
test: $(READY) messages ## set everything up and run the whole suite; T=tests/unit runs a part
	tools/system-packages chromium
ifdef T
	$(BIN)/pytest -q -n 2 --dist loadgroup $(T)
else
	$(BIN)/pytest -q -n 2 --dist loadgroup --ignore=tests/e2e
	$(BIN)/pytest -q -n 2 --dist loadgroup tests/e2e
endif

lint: $(READY) ## ruff, import contracts, types, lock files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python tools/check_locks.py

format: $(READY) ## put the code in the form that lint wants
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## measure what this machine serves and what rights cost, each beside a peer in the same run
	$(BIN)/gridgate bench
	$(BIN)/python -m benchmarks.rights

messages: $(READY) ## compile the English texts
	@$(BIN)/python -m gridgate.portal.messages

lock: ## choose versions anew and lock them with hashes
	$(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-header --no-emit-index-url --no-annotate \
	  --python-version 3.11 pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-header --no-emit-index-url --no-annotate \
	  --python-version 3.11 --all-extras pyproject.toml -o requirements/dev.txt

vendor: $(READY) ## fetch the browser's libraries and font again, checked by their sha512
	$(BIN)/python tools/vendor.py

clean: ## remove what the commands made
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Compiled once here: where PYTHONDONTWRITEBYTECODE is set, each of the many processes that a run starts would do it anew.
$(READY): requirements/dev.txt requirements/uv.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Install Python 3.11 or newer first."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11; give PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync -q --require-hashes --compile-bytecode requirements/dev.txt requirements/uv.txt
	$(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q src
	@touch $@
