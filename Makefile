# make demo    JupyterLab on the tour notebook        make demo ARGS="--no-browser --port 8899"
# make test    every test, on the installed package   make test ARGS="-k gallery"
# make oldest  the tests without a browser, with the oldest versions that are allowed
# make docs    the pages, in build/html               make binder  Binder's environment, and the tour in it
# The environment lives in .venv and is brought up to date only when something has changed.

VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The checkout must not shadow the installed package, in no process that is started from here.
export PYTHONSAFEPATH := 1
unexport PYTHONPATH

PACKAGE := $(shell find astronomaly_widgets notebooks -type f -not -path '*/__pycache__/*' -not -path '*/.ipynb_checkpoints/*' 2>/dev/null)
WHAT_IS_INSTALLED := pyproject.toml README.md LICENSE $(wildcard constraints/*.txt) $(PACKAGE)

.PHONY: help demo test oldest lint types docs binder conformance bench clean

help:
	@sed -n 's/^# \(make.*\)/\1/p' Makefile

$(VENV)/.python:
	@set -e; for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if command -v $$python >/dev/null && $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then found=$$python; break; fi; done; \
	if [ -z "$${found:-}" ]; then echo "Python 3.11 or newer is needed; found: $$(python3 --version 2>&1). Install one, or: make PYTHON=/path/to/python" >&2; exit 1; fi; \
	echo "Creating $(VENV) with $$($$found --version)"; $$found -m venv --clear $(VENV)
	@touch $@

# One wheel, as a user gets it; $(1) is the extra to install with it.
define install
	@echo "Installing astronomaly-widgets[$(1)] into $(VENV)"
	@rm -rf build/wheel && $(BIN)/pip wheel -q --no-deps -w build/wheel .
	@$(BIN)/pip uninstall -qy astronomaly-widgets 2>/dev/null
	@pins=$(PINS); pins=$${pins:-constraints/py$$($(BIN)/python -c 'import sys; print("%d%d" % sys.version_info[:2])').txt}; \
	$(BIN)/pip install -q $$([ -f $$pins ] && echo "-c $$pins") "$$(echo build/wheel/*.whl)[$(1)]"
	@touch $@
endef

$(VENV)/.demo: $(VENV)/.python $(WHAT_IS_INSTALLED)
	$(call install,demo)

$(VENV)/.test: $(VENV)/.python $(WHAT_IS_INSTALLED)
	$(call install,test)
	@touch $(VENV)/.demo

demo: $(VENV)/.demo
	@$(BIN)/astronomaly-widgets demo $(ARGS)

test: $(VENV)/.test
	ASTRONOMALY_WIDGETS_TEST_INSTALLED=1 $(BIN)/pytest $(ARGS)

oldest:
	@$(MAKE) test VENV=.venv-oldest PINS=constraints/oldest.txt ARGS='-m "not browser" $(ARGS)'

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

docs: $(VENV)/.test
	$(BIN)/sphinx-build -qW --keep-going -t notebooks docs build/html
	@echo "build/html/index.html"

# needs the version of Python that Binder is told to take; its environment is built anew, without Docker
binder:
	python$$(sed 's/python-//' binder/runtime.txt) binder/emulate.py $(ARGS)

# Tests from elsewhere against the public names: make conformance CONFORMANCE=folder
conformance: $(VENV)/.test
	@test -n "$(CONFORMANCE)" || { echo "say where they are: make conformance CONFORMANCE=folder" >&2; exit 1; }
	$(BIN)/pytest -p no:cacheprovider "$(CONFORMANCE)"

bench: $(VENV)/.test
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) .venv-oldest build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
