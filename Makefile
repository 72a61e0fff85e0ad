# Everything runs in .venv, made from pyproject.toml alone. Needed on the machine: Python >= 3.11 with venv and its
# headers, a C compiler, and make.
PYTHON ?= python3
# The oldest versions of the dependencies are those of the oldest Python.
PYTHON_MINIMUM ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NOTEBOOK := notebooks/quickstart.ipynb

.DELETE_ON_ERROR:
.PHONY: help venv test test-minimum test-browser chromium fuzz lint dist test-dist docs demo pictures lab bench bench-r clean

help:
	@echo 'make test    run the tests, and the notebooks against their stored output'
	@echo 'make test-browser   drive JupyterLab in Chromium; pictures go into build/screenshots'
	@echo 'make test-minimum   run the tests with the oldest versions of all dependencies; needs Python 3.11'
	@echo 'make dist    build the wheel and the source distribution; make test-dist installs and tests both'
	@echo 'make fuzz    read thousands of generated and damaged commands; EFFORT=100 times the examples of a test run'
	@echo 'make lint    check style and types'
	@echo 'make docs    make the documentation in build/docs, with every example run'
	@echo 'make demo    fit one model here, and run the quick start notebook into build/quickstart.html'
	@echo 'make pictures   draw the pictures of README.md anew, in Chromium'
	@echo 'make lab     open the quick start notebook in JupyterLab'
	@echo 'make bench   measure fit and start-up times; make bench-r those of R'"'"'s lme4 and glmmTMB as well'
	@echo 'make venv    only install; make clean removes all that make has made'

venv: $(STAMP)

$(STAMP): pyproject.toml src/memagic/__init__.py setup.py $(wildcard src/native/*)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,notebook]'
	touch $@

# The notebooks run in one process: their kernels are processes of their own already.
test: venv
	$(BIN)/python -m pytest -q -n auto
	@if ls notebooks/*.ipynb >/dev/null 2>&1; then \
		echo '$(BIN)/python -m pytest -q --nbval-lax --nbval-current-env notebooks'; \
		$(BIN)/python -m pytest -q --nbval-lax --nbval-current-env notebooks; \
	fi

MINIMUM := .venv-minimum

test-minimum: $(MINIMUM)/.installed
	$(MINIMUM)/bin/python -m pytest -q -n auto

$(MINIMUM)/.installed: pyproject.toml scripts/floors.py src/memagic/__init__.py setup.py $(wildcard src/native/*)
	rm -rf $(MINIMUM)
	$(PYTHON_MINIMUM) -m venv $(MINIMUM)
	$(MINIMUM)/bin/python scripts/floors.py >$(MINIMUM)/constraints.txt
	$(MINIMUM)/bin/python -m pip install --quiet --disable-pip-version-check \
		-c $(MINIMUM)/constraints.txt -e '.[test,plots,tables]'
	touch $@

BROWSER_STAMP := $(VENV)/.browser-installed

test-browser: $(BROWSER_STAMP) chromium
	$(BIN)/python -m pytest -q tests/browser

$(BROWSER_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[browser]'
	touch $@

chromium:
	@mkdir -p build
	@if command -v chromium chromium-browser google-chrome >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo 'installing Chromium'; \
		(apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
			chromium fonts-dejavu-core) >build/chromium.log 2>&1 \
			|| { tail -n 20 build/chromium.log; exit 1; }; \
	else echo 'the browser tests need Chromium: apt-get install --no-install-recommends chromium'; exit 1; fi

EFFORT ?= 100
fuzz: venv
	MEMAGIC_FUZZ=$(EFFORT) $(BIN)/python -m pytest -q -n auto tests/spec/test_fuzz.py tests/data/test_evaluate.py

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

dist: venv
	rm -rf dist
	$(BIN)/python -m build

test-dist: dist
	$(BIN)/python scripts/try_dist.py

DOCS_STAMP := $(VENV)/.docs-installed

docs: $(DOCS_STAMP)
	$(BIN)/python -m scripts.make_docs build/docs-source
	@echo 'running every example, in two minutes or so'
	@$(BIN)/python -m sphinx -W --keep-going -q -j 2 -b html build/docs-source build/docs \
		>build/docs.log 2>&1 || { grep -v -e IPKernelApp -e '^$$' build/docs.log | tail -n 60; exit 1; }
	@echo 'open build/docs/index.html'

# What the tests need is not needed here.
$(DOCS_STAMP): pyproject.toml setup.py $(wildcard src/native/*)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	touch $@

demo: venv
	$(BIN)/python scripts/demo.py
	mkdir -p build
	$(BIN)/python -m nbconvert --to html --execute --output-dir build --output quickstart.html $(NOTEBOOK)

pictures: $(BROWSER_STAMP) chromium
	$(BIN)/python -m scripts.make_pictures

lab: venv
	$(BIN)/python -m jupyterlab $(NOTEBOOK)

# The packages measured against are optional: without them their columns say so.
bench: venv
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/growth.py

# R with lme4, glmmTMB and jsonlite (Debian: r-cran-lme4, r-cran-glmmtmb, r-cran-jsonlite) has to be there.
bench-r: venv
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python benchmarks/run.py --r

clean:
	rm -rf $(VENV) $(MINIMUM) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
