# make study   set everything up and run the two studies in three languages
# make web     set everything up and serve the dashboard on the shipped studies, for reading only; prints its address
# make test    set everything up and run every test
# make check   lint, format, types and the fast tests
# make bench   time the main steps, as ratios in one run
# make docs    write the reference pages anew; make golden: write the golden runs anew; make lock: resolve the versions anew

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# without colour, questions or version checks: the same output on a terminal and in CI
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: study web test lint check bench docs golden lock clean

# the two studies run side by side, one core each
study: $(READY)
	@started=$$(date +%s); \
	$(BIN)/qonys study run kazakhstan -o out/kazakhstan & other=$$!; \
	$(BIN)/qonys study run eu-covid -o out/eu-covid; here=$$?; \
	wait $$other && [ $$here -eq 0 ] && echo "make study: $$(( $$(date +%s) - started )) s after installation"

# the two studies are run in the background when they have not been yet; the pages say so until they are
web: $(READY)
	$(BIN)/qonys web run --home out/web --public

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=10

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/reference.py --check

check: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not browser"

bench: $(READY)
	$(BIN)/python -m bench

docs: $(READY)
	$(BIN)/python tools/reference.py

golden: $(READY)
	$(BIN)/python -m tests.golden

lock: $(READY)
	$(PIP) install uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --no-header --no-annotate --extra dev --extra oidc --extra postgres --extra spark pyproject.toml -o requirements.lock
	sed -i '1i # Exact versions for Python 3.11 to 3.13; made from pyproject.toml by `make lock`. Holds no address of a package index.' requirements.lock

clean:
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# hatchling comes from the lock too, so nothing is resolved while the package itself is installed
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Qonys needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(READY)
