# Everything a newcomer or CI needs. Each target sets up what it needs, once: Python 3.11+, pip and a package index are enough.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .venv/tools/bin/uv
BIN := .venv/bin
READY := .venv/ready
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS ?= 0
# uv does not read pip's settings; a machine set up for pip with an index of its own is set up for us too.
INDEX = $${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(PYTHON) -m pip config get global.index-url 2>/dev/null || true)}}
WITH_INDEX = index="$(INDEX)"; if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi

.PHONY: help setup run test test-fast lint format bench campaign docs page notebooks release lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## the virtual environment in .venv (the other targets do this by themselves)

# --target needs neither python3-venv nor a pip that may touch Debian's own Python (PEP 668).
$(UV):
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "glyphlite needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target .venv/tools uv==$(UV_VERSION)

$(READY): pyproject.toml requirements.lock | $(UV)
	@echo "Setting up .venv (once) ..."
	[ -x $(BIN)/python ] || $(UV) venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" .venv
	$(WITH_INDEX); $(UV) pip sync --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --no-index --editable .
	@touch $(READY)

ARGS ?=
run: $(READY) ## train, convert, measure and export on MNIST: the main job (ARGS="--model micro-cnn" adds options)
	$(BIN)/glyphlite run $(ARGS)

# The order of files is that of tests/conftest.py: those with slow tests first, so that no core waits for one of them at the end.
IN_PARALLEL := --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

# Types take one core a minute and a half, so they are checked beside the tests: no core waits for them.
test: $(READY) ## every check and every test
	$(FAST_CHECKS)
	$(BIN)/pyright >.venv/pyright.txt 2>&1 & types=$$!; status=0; \
	$(BIN)/python -m pytest $(IN_PARALLEL) --cov --cov-report=term:skip-covered \
	  $(if $(PYTEST_ARGS),--cov-fail-under=0) $(PYTEST_ARGS) || status=$$?; \
	wait $$types || status=$$?; cat .venv/pyright.txt; exit $$status

test-fast: $(READY) ## the tests that train nothing and open no browser
	$(BIN)/python -m pytest $(IN_PARALLEL) -m "not slow" $(PYTEST_ARGS)

define FAST_CHECKS
$(BIN)/ruff format --check .
$(BIN)/ruff check .
$(BIN)/lint-imports --no-cache
endef

lint: $(READY) ## format, lint, types, the import contract
	$(FAST_CHECKS)
	$(BIN)/pyright

format: $(READY) ## put every file into the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

FILES ?=
OF_FILES := $(addprefix benchmarks/,mlperf_tiny.py any_model.py optimize.py)
bench: $(READY) ## every claim of the README, measured again (FILES=DIR: those on public .tflite files below DIR, too)
	$(WITH_INDEX); $(UV) pip install --quiet --python $(BIN)/python --group bench
	for script in $(filter-out benchmarks/ship.py $(OF_FILES),$(wildcard benchmarks/*.py)); do $(BIN)/python "$$script"; done
	for script in $(if $(FILES),$(OF_FILES)); do $(BIN)/python "$$script" "$(FILES)"; done

campaign: $(READY) ## every long proof again, each with a fixed seed: random models, damaged files, kills, failing writes (hours)
	for script in campaigns/*.py; do $(BIN)/python "$$script"; done

docs: $(READY) ## build the documentation as a site in site/; a broken link fails
	$(WITH_INDEX); $(UV) pip install --quiet --python $(BIN)/python --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict --clean && echo site/index.html

page: $(READY) ## minify the drawing page's scripts, as they are served (needs npm)
	$(BIN)/python tools/page.py

notebooks: $(READY) ## run the notebooks and store them with what they print and draw (some minutes)
	$(BIN)/python notebooks/refresh.py

release: $(READY) ## build wheel and source distribution into dist/, and check them: metadata, a fresh environment, the list of parts
	$(WITH_INDEX); $(UV) pip install --quiet --python $(BIN)/python --group release
	$(WITH_INDEX); $(BIN)/python tools/release.py

lock: $(UV) ## resolve requirements.lock again from pyproject.toml
	$(WITH_INDEX); $(UV) pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 --extra all --group dev \
	  --upgrade pyproject.toml --output-file requirements.lock

clean: ## remove the environment and every cache (runs/ stays)
	rm -rf .venv dist .pytest_cache .ruff_cache .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
