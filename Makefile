# Needs python3 (3.11 or newer), make and git; all else is installed by pip into $(VENV), promtool, Alertmanager and
# Chromium by apt-get.
#   make test                     all tests, after setting everything up
#   make PYTHON=python3.12 setup  with another interpreter

PYTHON ?= python3
VENV ?= .venv
# One more than the two cores that suffice: some tests wait for a browser or a server.
JOBS ?= 3
PYTEST_ARGS ?=
# Tests of live servers wait more than they work.
SERVERS ?= 4

# Without kept bytecode every process of the tests would compile the compiler first.
unexport PYTHONDONTWRITEBYTECODE

BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
# Long promtool runs and short units share the cores best where an idle worker takes over what is left.
PARALLEL := -n $(JOBS) --dist worksteal
SOURCES := slo_compiler tests scripts benchmarks ci

.PHONY: help setup promtool alertmanager chromium programs screenshots test check lint types fast golden e2e bench mutation thorough promtool3 litellm vllm dashboards clean

help:
	@echo 'setup     a virtual environment in $(VENV) with the compiler and its tools'
	@echo 'test      units, golden files, promtool proofs and real programs (installs what is missing of these)'
	@echo 'check     lint, format, types and the tests that need no promtool and no browser'
	@echo 'golden    rewrites golden/, schemas/ and docs/, then compares them; read the diff'
	@echo 'screenshots rewrites the pictures of docs/images/'
	@echo 'e2e       tests that build and install the wheel, and run a real Prometheus and Alertmanager'
	@echo 'bench     what a compilation costs, as ratios'
	@echo 'mutation  whether the generated tests notice every mistake in the rules'
	@echo 'thorough  promtool proofs of rarer shapes of specs'
	@echo 'promtool3 the generated tests under a promtool 3 that is built with Go'
	@echo 'litellm   check-metrics and the rules on a real LiteLLM proxy (installs half a gigabyte)'
	@echo 'vllm      check-metrics and the rules on a real vLLM without a GPU (installs six gigabytes)'
	@echo 'dashboards draws a dashboard with Grafana'"'"'s own components (installs half a gigabyte by npm)'
	@echo 'clean     removes what these made'

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; try make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[dev]'
	@touch $@

promtool:
	bash scripts/ensure_promtool.sh

alertmanager:
	bash scripts/ensure_alertmanager.sh

chromium:
	bash scripts/ensure_chromium.sh

programs:
	bash scripts/ensure_engines.sh

test: setup promtool alertmanager chromium programs
	$(PYTEST) $(PARALLEL) -m 'not e2e' $(PYTEST_ARGS)

check: lint types fast

lint: setup
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: setup
	$(BIN)/mypy

fast: setup
	$(PYTEST) $(PARALLEL) -m 'not promtool and not e2e and not engines and not browser' $(PYTEST_ARGS)

golden: setup promtool
	$(BIN)/python scripts/update_golden.py
	$(BIN)/python scripts/generate_docs.py
	UPDATE_GOLDEN=1 $(PYTEST) -q tests/test_schemas.py tests/test_docs.py tests/test_diagnostic_pages.py tests/test_report_formats.py
	$(PYTEST) $(PARALLEL) tests/test_golden.py tests/test_schemas.py tests/test_docs.py tests/test_diagnostic_pages.py tests/test_report_formats.py

screenshots: setup chromium
	$(BIN)/python -m scripts.screenshots

e2e: setup promtool alertmanager
	$(PYTEST) -n $(SERVERS) --dist loadfile -m e2e $(PYTEST_ARGS)

bench: setup
	$(BIN)/python benchmarks/compile.py --sizes 1,100,1000

mutation: setup promtool
	$(BIN)/python -m tests.mutation.run

thorough: setup promtool
	$(PYTEST) $(PARALLEL) -m thorough $(PYTEST_ARGS)

promtool3: setup
	bash scripts/ensure_promtool3.sh
	PROMTOOL="$$(bash scripts/ensure_promtool3.sh | tail -n 1)" \
	  $(PYTEST) $(PARALLEL) -m 'promtool or promtool3' tests/test_golden.py tests/test_prometheus_model.py \
	  tests/test_native_proofs.py tests/test_degradation.py tests/test_monitors.py $(PYTEST_ARGS)

litellm: setup promtool
	bash scripts/ensure_litellm.sh
	$(PYTEST) -m slow_engines tests/slow/test_litellm.py $(PYTEST_ARGS)

# Its worker listens on all interfaces: here there is only the loopback.
vllm: setup promtool
	bash scripts/ensure_vllm.sh
	bash scripts/on_loopback.sh $(PYTEST) -m slow_engines tests/slow/test_vllm.py $(PYTEST_ARGS)

dashboards: setup promtool chromium
	bash scripts/ensure_dashboard_view.sh
	$(PYTEST) -m slow_engines tests/slow/test_dashboard_view.py $(PYTEST_ARGS)

clean:
	rm -rf $(VENV) out dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
