# Every target does all set-up from a fresh clone: its own virtual environment, the tested versions, then the job.

# On Linux the package index has torch for CUDA; TORCH_INDEX=https://download.pytorch.org/whl/cpu takes the build for CPUs.
PYTHON ?= python3
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test types types-windows test-pythons wheel fuzz benchmark docs model format clean

demo: $(VENV)/.installed ## build, summarise and leave behind a small dataset; no download
	@mkdir -p demo
	$(BIN)/mocapgen build --source sample --out demo/sample.h5 --overwrite
	$(BIN)/mocapgen inspect demo/sample.h5

test: $(VENV)/.installed-dev ## lint, types and the whole test suite
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(MAKE) --jobs 2 types types-windows
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -n auto --dist worksteal --durations 20

types: $(VENV)/.installed-dev ## type checks alone
	$(BIN)/mypy

types-windows: $(VENV)/.installed-dev ## the same as for Windows
	$(BIN)/mypy --platform win32 --no-warn-unreachable --cache-dir .mypy_cache/win32 -p schemas -p mocapgen -p trainer -p tools

test-pythons: $(VENV)/.installed-dev ## every other Python from 3.11 on that is found here, with the tests that need no PyTorch
	$(BIN)/python -m tools.try_pythons

wheel: $(VENV)/.installed-dev ## dist/: source archive and wheel, as they would be published
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

CASES ?= 100000
SEED ?= 0
fuzz: $(VENV)/.installed-dev ## damaged files of all kinds into all readers, about an hour on two cores; what fails is kept in fuzz/
	$(BIN)/python -m tests.fuzz.run --cases $(CASES) --seed $(SEED)

benchmark: $(VENV)/.installed-dev ## frames per second and peak memory of every step
	$(BIN)/python -m benchmarks

docs: $(VENV)/.installed-dev ## the manual as a site: site/index.html; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

MOCAP ?= ../shared/data
model: $(VENV)/.installed-dev ## train the models that ship, as trainer/models/default.md says: an hour on one core that computes in bf16; MOCAP=folder with hdm05 and cmu
	@mkdir -p runs
	$(BIN)/mocapgen build --source hdm05 --root $(MOCAP)/hdm05 --select all --min-frames 1 --out runs/hdm05.h5
	$(BIN)/mocapgen build --source cmu --root $(MOCAP)/cmu --long split --out runs/cmu.h5
	$(BIN)/mocapgen build --source folder --root $(MOCAP)/hdm05/takes --format c3d --long split --out runs/c3d.h5
	$(BIN)/mocapgen build --source sample --out runs/sample.h5
	$(BIN)/mocapgen merge runs/hdm05.h5 runs/cmu.h5 runs/c3d.h5 runs/sample.h5 --out runs/all.h5
	$(BIN)/trainer fit runs/all.h5 --recipe video --split all --threads 1 --out runs/default
	$(BIN)/trainer fit runs/all.h5 --recipe video-causal --split all --threads 1 --out runs/default-causal
	$(BIN)/python -m tools.ship_model runs/default default --about tools/shipped/default.yaml --overwrite
	$(BIN)/python -m tools.ship_model runs/default-causal default-causal --about tools/shipped/default-causal.yaml --overwrite

format: $(VENV)/.installed-dev ## repair what ruff can repair
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove everything that was built, the environment included
	rm -rf $(VENV) .venv-3.* build dist demo site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find schemas mocapgen trainer tools tests benchmarks examples -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mocapgen needs Python 3.11 or later, found $$($(PYTHON) --version 2>&1); try: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(if $(TORCH_INDEX),$(PIP) --index-url $(TORCH_INDEX) $$(grep '^torch==' constraints.txt))
	$(PIP) -c constraints.txt -e ".[dev]"
	touch $@ $(VENV)/.installed
