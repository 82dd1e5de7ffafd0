# Everything a newcomer types. `make run` and `make test` set up what they need; after
# the first time they need no network. Works with GNU make 3.81 and later.

PYTHON ?=
BIN := .venv/bin
READY := .venv/.ready
# Two processes fit two cores; on a larger machine say JOBS=8.
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup run stop test check fmt bench bench-against attack soak prove cover \
  catalog replay lock clean clean-data

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## make the virtual environment (run and test do so themselves)

# The requirements are complete and pinned, so pip resolves nothing (--no-deps): an old
# pip fails if it meets a newer release than the pinned one.
# The newest Python that works wins. A name on PATH is not enough, because version
# managers leave names there that only print an error.
$(READY): requirements-dev.txt pyproject.toml
	@set -e; python=''; \
	for name in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    >/dev/null 2>&1; then python="$$name"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'Bourse needs Python 3.11 or newer on PATH (python3.13, python3.12,' >&2; \
	  echo 'python3.11 or python3), or: make PYTHON=/path/to/python' >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	  echo "$$python cannot make a virtual environment: install its venv module" >&2; \
	  echo '(on Debian and Ubuntu the package python3-venv).' >&2; exit 1; \
	fi; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 \
	  || "$$python" -m venv --clear .venv; \
	echo 'Installing the pinned requirements into .venv; the first time takes a minute'; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --require-hashes --no-deps --requirement requirements-dev.txt; \
	$(BIN)/python -m pip install --disable-pip-version-check --no-index --no-deps \
	  --no-build-isolation --editable . >.venv/install.log 2>&1 \
	  || { cat .venv/install.log >&2; exit 1; }; \
	touch $(READY)

run: $(READY) ## serve the exchange on http://127.0.0.1:8000 (Ctrl-C stops it)
	@exec $(BIN)/bourse run

stop: $(READY) ## stop the server of BOURSE_HOME and its Postgres and Redis
	@$(BIN)/python -m infra.local.shutdown

test: check ## run all checks, then the tests, in a few minutes
	$(BIN)/pytest -q -n $(JOBS)

check: $(READY) ## check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --warnings
	$(BIN)/lint-imports --no-logo

fmt: $(READY) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cover: $(READY) ## measure the branch coverage of the core
	$(BIN)/pytest -q -n $(JOBS) --cov --cov-report=term \
	  tests/domain tests/commands tests/projections tests/processors \
	  tests/scenarios/test_market_scenarios.py

bench: $(READY) ## measure the numbers of benchmarks/README.md
	$(BIN)/python -m benchmarks

bench-against: $(READY) ## compare an order's cost: make bench-against REV=commit
	@exec $(BIN)/python -m benchmarks.against $(REV)

attack: $(READY) ## attack a temporary server, and measure what that costs others
	@exec $(BIN)/python -m benchmarks.attack

soak: $(READY) ## run at full rate, killed and flushed: make soak MINUTES=60
	SOAK_MINUTES=$(or $(MINUTES),60) $(BIN)/pytest -q tests/prove/test_soak.py

prove: $(READY) ## run the long proofs: crashes, failover, whole order flows
	$(BIN)/pytest -q tests/prove

catalog: $(READY) ## generate CATALOG.md, SETTINGS.md and .env.example
	$(BIN)/python -m infra.docs.catalog
	$(BIN)/python -m infra.docs.settings_page

replay: $(READY) ## send an order flow through the HTTP API: make replay FLOW=file
	@if [ -z "$(FLOW)" ]; then echo 'Name a flow: make replay FLOW=path' >&2; exit 2; fi
	@exec $(BIN)/bourse replay "$(FLOW)"

lock: ## pin the requirements again (needs uv)
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	  --no-emit-index-url --no-annotate --custom-compile-command 'make lock' \
	  --output-file requirements.txt requirements.in
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	  --no-emit-index-url --no-annotate --custom-compile-command 'make lock' \
	  --constraint requirements.txt \
	  --output-file requirements-dev.txt requirements-dev.in

clean-data: $(READY) ## delete the data of BOURSE_HOME, after asking (YES=1: at once)
	@$(BIN)/python -m infra.local.removal

clean: ## remove what make made, except BOURSE_HOME
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache \
	  build *.egg-info .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
