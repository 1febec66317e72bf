# One door for users and developers. Every target makes .venv first, so a clean clone needs git, make and Python 3.12 only.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
WORKERS ?= auto
SESSIONS ?= 100000
SHARDS ?= 2
PYTEST := $(BIN)/pytest -n $(WORKERS)

.PHONY: help setup demo test check format lint types imports sizes coverage snippets bench ratios differential docs soak clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv (does nothing when nothing changed)
	@.ci/setup.sh

demo: setup ## set up, then run the demonstration
	$(BIN)/rustybt demo

test: setup ## set up, then run all tests
	$(PYTEST)

check: lint types imports sizes coverage snippets ## all that a change must pass: format, lint, types, imports, sizes, tests with coverage gates, docs

format: setup ## rewrite the code in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup ## formatting and lint, changing nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup ## mypy --strict
	$(BIN)/mypy

imports: setup ## who may import whom
	$(BIN)/lint-imports

sizes: setup ## file, function and argument limits
	$(BIN)/pytest -q tests/house/test_sizes.py

coverage: setup ## tests with coverage gates: 90 % of all, 95 % where money is; kernels count their interpreter twin
	$(BIN)/coverage erase
	$(PYTEST) --cov --cov-report=
	RUSTYBT_KERNEL=python $(PYTEST) --cov --cov-append --cov-report= tests/kernel
	$(BIN)/python -m tests.house.coverage_gate

snippets: setup ## run every example in README and docs
	$(BIN)/pytest -q tests/house/test_snippets.py tests/house/test_links.py

bench: setup ## time and memory, beside a hand-written pass and other products
	$(BIN)/python -m benchmarks

ratios: setup ## has anything become slower? compares ratios with benchmarks/thresholds.json
	$(BIN)/python -m benchmarks check

differential: setup ## the same strategies in other engines, fill for fill, on real bars; writes docs/comparison.md
	$(BIN)/python -m benchmarks.differential

docs: ## build the site into site/ (strict)
	@.ci/setup.sh docs
	NO_MKDOCS_2_WARNING=1 PATH="$(CURDIR)/.venv-docs/bin:$$PATH" mkdocs build --strict --quiet

soak: setup ## 100,000 random markets, kernel against reference; stops and resumes
	mkdir -p .soak
	seq 0 $$(($(SHARDS) - 1)) | xargs -P $(SHARDS) -I K $(BIN)/python -m rustybt.testing.soak --sessions $(SESSIONS) --shards $(SHARDS) \
		--shard K --out .soak/$(SESSIONS)-$(SHARDS)-K.json --cases tests/golden/cases
	$(BIN)/python -m rustybt.testing.soak --report .soak/$(SESSIONS)-$(SHARDS)-*.json

clean: ## remove what the targets made, the environments too
	rm -rf .venv .venv-docs .venv-bootstrap site dist build htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .soak
	find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
