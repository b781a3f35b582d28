# `make demo` and `make test` set up .venv first, with uv if it is installed, otherwise with pip.

PYTHON ?= python3
FUZZ_SEED ?= $(shell date +%s)
.DEFAULT_GOAL := help
.PHONY: help install demo test test-pages test-ray test-docs test-faults docs fuzz-quick fuzz audit coverage lint wheel-test bench bench-decoding

help:
	@echo "make demo   train and test on the synthetic demo corpus, then transcribe a file (1 to 2 minutes on 2 cores)"
	@echo "make test   run the tests (3 minutes on 2 free cores, 16 on 2 busy ones)"
	@echo "make test-pages  drive the pages in Chromium, and compile their TypeScript (some minutes)"
	@echo "make test-ray  start workers of Ray (a minute)"
	@echo "make test-docs  run every command of README.md and docs/, and the notebook (some minutes)"
	@echo "make docs   build the documentation as a site, in site/"
	@echo "make lint   run ruff and mypy"
	@echo "make test-faults kill commands, let their disk fail at some moments (ASR_FAULTS=all: at each), start torchrun"
	@echo "make fuzz   read damaged files with every parser, for about an hour (make fuzz-quick: for a minute)"
	@echo "make audit  look for known vulnerabilities in the installed packages (needs a network)"
	@echo "make coverage    run the tests, those of pages and of Ray too, and print their coverage"
	@echo "make wheel-test  build a wheel, install it into an empty environment, and train and transcribe with it"
	@echo "make bench       compare the speed of features, training, decoding and scoring with other libraries"
	@echo "make bench-decoding   compare decoding with libraries that take minutes and a compiler to install"

install: .venv/installed

.venv/installed: pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python ">=3.11,<3.14" .venv && \
		uv pip install --quiet --python .venv/bin/python -e '.[dev]'; \
	else \
		$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
			{ echo "asr needs Python 3.11 to 3.13; choose one: make PYTHON=python3.12 ..."; exit 1; }; \
		$(PYTHON) -m venv .venv && .venv/bin/python -m pip install --quiet -e '.[dev]'; \
	fi
	@touch $@

DEMO_FILE := data/demo/test/dr4/mawb0/sx101.flac

demo: install
	.venv/bin/python -m asr run recipes/demo/dnn.yaml
	.venv/bin/python -m asr transcribe runs/demo/dnn $(DEMO_FILE) -o runs/demo/dnn/transcripts
	.venv/bin/python .ci/check_demo.py
	.venv/bin/python -m asr report runs/demo/dnn --audio link
	@echo "Open runs/demo/dnn/report/index.html in a web browser: it shows the errors, and you can hear them"

test: install
	.venv/bin/python -m pytest -n auto

test-pages: install
	.venv/bin/python -m pytest -n auto -m pages

test-ray: install
	.venv/bin/python -m pytest -n auto -m ray

test-docs: install
	.venv/bin/python -m pytest -n auto -m docs tests/docs

docs: install
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build

test-faults: install
	.venv/bin/python -m pytest -n auto -m faults

fuzz-quick: install
	FUZZ_EXAMPLES=300 FUZZ_SEED=$(FUZZ_SEED) .venv/bin/python -m pytest -n auto tests/fuzz

fuzz: install
	FUZZ_EXAMPLES=20000 FUZZ_SEED=$(FUZZ_SEED) .venv/bin/python -m pytest -n auto tests/fuzz

audit: install
	.venv/bin/python -m pip install --quiet pip-audit || uv pip install --quiet --python .venv/bin/python pip-audit
	.venv/bin/python -m pip_audit --strict --skip-editable

coverage: install
	.venv/bin/python -m pytest -n auto -m 'not faults and not docs' --cov=asr --cov-report=term:skip-covered

wheel-test: install
	.ci/wheel

lint: install
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy

bench: .venv/bench-installed
	.venv/bin/python benchmarks/features.py
	.venv/bin/python benchmarks/training.py
	.venv/bin/python benchmarks/decoding.py
	.venv/bin/python benchmarks/scoring.py

bench-decoding: .venv/bench-decoding-installed
	.venv/bin/python benchmarks/decoding.py

.venv/bench-installed: .venv/installed
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --python .venv/bin/python -e '.[dev,bench]'; \
	else \
		.venv/bin/python -m pip install --quiet -e '.[dev,bench]'; \
	fi
	@touch $@

.venv/bench-decoding-installed: .venv/installed
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --python .venv/bin/python -e '.[dev,bench-decoding]' && \
		uv pip install --quiet --python .venv/bin/python --no-deps 'pyctcdecode==0.5.*'; \
	else \
		.venv/bin/python -m pip install --quiet -e '.[dev,bench-decoding]' && \
		.venv/bin/python -m pip install --quiet --no-deps 'pyctcdecode==0.5.*'; \
	fi
	@touch $@
