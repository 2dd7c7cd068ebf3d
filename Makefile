PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= data
TESTS ?= -n 2
LENGTH ?= 2
EXAMPLES ?= 1000

# What an installation is made of; the modules that setup.py compiles are among them.
SOURCES := pyproject.toml setup.py $(shell find catalog gateway -name '*.py')

.PHONY: serve test torture fuzz audit bench conformance-ceph lint format interpreted clean

serve: $(VENV)/for-serving
	$(BIN)/ducket serve --data $(DATA) $(ARGS)

test: $(VENV)/for-testing
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest $(TESTS)

# The long form of conformance/crash; docs/reliability.md says what a LENGTH takes.
torture: $(VENV)/for-testing
	$(BIN)/python -m conformance.crash.torture $(LENGTH) $(ARGS)

# The long form of conformance/attack: so many inputs of each kind.
fuzz: $(VENV)/for-testing
	$(BIN)/python -m conformance.attack.fuzz $(EXAMPLES) $(ARGS)

# What is known against what the server runs on. Asks PyPI, and fails where that cannot tell of one of them.
audit: $(VENV)/for-serving
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9,<3'
	$(BIN)/python -m pip freeze --exclude-editable > $(VENV)/audit/requirements.txt
	$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip -r $(VENV)/audit/requirements.txt

bench: $(VENV)/for-testing
	$(BIN)/python -m bench.run $(ARGS)

# S3TESTS names a checkout of ceph/s3-tests.
conformance-ceph: $(VENV)/for-testing
	$(BIN)/python -m conformance.ceph "$(S3TESTS)" $(ARGS)

lint: $(VENV)/for-testing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/for-testing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Python from now on, until it is installed again.
interpreted:
	find . -path './$(VENV)' -prune -o '(' -name '*.so' -o -name compiled.sha256 ')' -exec rm {} +

clean: interpreted
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/for-testing: $(VENV)/made $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@ $(VENV)/for-serving

$(VENV)/for-serving: $(VENV)/made $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	touch $@
