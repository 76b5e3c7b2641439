# What people and machines do with this repository. `make` alone lists the targets.
# Needed on the machine: python3 (3.11 or newer), python3-venv, make. Everything else is put into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
# The first of these that runs and is new enough; a name may be there and not work, as the shims of pyenv do.
PYTHONS := python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11
# A file of tests stays on one worker, so that a server it starts is started once.
PARALLEL := -n 2 --dist loadfile
# Tests that need servers, other programs or minutes; the rest are unit tests.
SLOW := --ignore=tests/journeys --ignore=tests/faults --ignore=tests/transport --ignore=tests/browser --ignore=tests/web \
	--ignore=tests/fuzz --ignore=tests/runners/test_fetching.py --ignore=tests/runners/test_probing.py

.PHONY: help install demo run serve test check bench corpus faults fuzz properties screenshots translations permissions clean

help:  ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

install: $(VENV)/runtime.stamp  ## What the program needs, into .venv

demo: $(VENV)/runtime.stamp  ## Everything at once, in a data folder of its own (DEMO="--port 5001 --fresh")
	@$(BIN)/flask demo $(DEMO)

run: $(VENV)/runtime.stamp  ## The web interface for trying things out (flask run)
	@$(BIN)/flask run

serve: $(VENV)/runtime.stamp  ## The web interface as a team has it, behind a proxy: docs/running.md
	@$(BIN)/gunicorn --no-control-socket -k gthread --threads 8 -b 127.0.0.1:8000 'app:create_app()'

check: $(VENV)/dev.stamp  ## Style, types and unit tests: under a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q $(PARALLEL) $(SLOW)

test: $(VENV)/dev.stamp  ## Everything that says whether the program is right, with real servers: under ten minutes
	@bash tests/setup.sh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q $(PARALLEL)

bench: $(VENV)/dev.stamp  ## How fast it is beside mbsync, smtp-source and bare templates (BENCH="...")
	@bash tests/setup.sh
	$(BIN)/python bench/run.py $(BENCH)

screenshots: $(VENV)/dev.stamp  ## Pictures of the main screens, into docs/pictures
	@bash tests/setup.sh
	$(BIN)/python -m tests.browser.pictures

translations: $(VENV)/dev.stamp  ## Find new texts, compile catalogues, and say what is not translated yet
	$(BIN)/python -m tests.catalogues

permissions: $(VENV)/dev.stamp  ## Write docs/permissions.md anew, by trying everything as everybody
	$(BIN)/python -m tests.web.permissions

corpus: $(VENV)/dev.stamp  ## Read every mail under a folder and say what is odd: make corpus CORPUS=folder
	@test -n "$(CORPUS)" || { echo 'Say which mails: make corpus CORPUS=folder'; exit 2; }
	$(BIN)/python tests/mail/corpus_run.py "$(CORPUS)"

faults: $(VENV)/dev.stamp  ## Kill it at chosen file calls and look whether a mail is lost or doubled (ROW=one of them)
	@bash tests/setup.sh
	ROW="$(ROW)" $(BIN)/python tests/faults/run.py

# A minute for each module, two at a time, and five minutes of damaged mails: about half an hour.
fuzz: $(VENV)/dev.stamp  ## Odd bytes for every parser, damaged mails for all of them (FUZZ=60 seconds each, CORPUS=folder)
	FUZZ_SECONDS="$(or $(FUZZ),60)" $(BIN)/pytest -q -n 2 tests/fuzz/test_parsers.py
	$(BIN)/python tests/fuzz/mutated.py "$(or $(CORPUS),tests/corpus)" --seconds $$((5 * $(or $(FUZZ),60)))

properties: $(VENV)/dev.stamp  ## The property tests again with many more examples
	$(BIN)/pytest -q $(PARALLEL) $(SLOW) --hypothesis-profile=fuzz

clean:  ## Remove what these targets made; no mail and no settings
	rm -rf $(VENV) .ruff_cache .mypy_cache .hypothesis .pytest_cache demo-data

# The stamps say which requirements are installed; a changed requirements file installs again.
$(VENV)/python.stamp:
	@for python in $(PYTHONS); do \
	  if $$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$($$python --version)"; \
	    $$python -m venv --clear $(VENV); \
	    touch $@; exit 0; \
	  fi; \
	done; \
	echo 'No usable Python: 3.11 or newer with venv is needed. On Debian: apt-get install python3 python3-venv'; exit 1

$(VENV)/runtime.stamp: $(VENV)/python.stamp requirements.txt
	@echo 'Installing what is in requirements.txt'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp requirements-dev.txt
	@echo 'Installing what is in requirements-dev.txt'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
