# `make` lists what there is to do. Each target sets itself up; uv.lock pins everything.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# uv may be absent on a fresh machine: then a private copy of it is installed beside the project.
UV := $(shell command -v uv 2>/dev/null || echo .opsmend/uv/bin/uv)
RUN := $(UV) run --frozen --quiet
ARGS ?=
PARTS ?=

# Without bytecode every process compiles all its libraries again: seconds of each start, and twice the time of all tests.
unexport PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE := 1

.PHONY: help setup test pytest end-to-end lint demo chaos bench mutants lab-build lab-up lab-down lab-status lab-contract lab-crash drills storms ci full

# A test that only came too late is run once more (docs/ci.md): its own wait ended, or asyncio's, or pytest's limit of a test.
TOO_LATE := '^(NotInTimeError|TimeoutError|Failed: Timeout)'
PYTEST = $(RUN) pytest --dist loadfile --tb native --durations 10 --reruns 1 --only-rerun $(TOO_LATE)
# These tests share one opsmend. What failed is played once more in a new session, which starts a new one. Exit code 1 of pytest
# means that tests failed; a broken safety check ends with 2.
WHOLE = $(PYTEST) --reruns 0 -n 2 tests/integration

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(UV) ## install everything that uv.lock pins
	@[ -d .venv ] || echo 'Installing into .venv. This takes minutes the first time.'
	@$(UV) sync --frozen --quiet

.opsmend/uv/bin/uv:
	install -d -m 700 .opsmend  # `opsmend up` keeps its state here too, which is for nobody else
	python3 -m venv .opsmend/uv
	.opsmend/uv/bin/python -m pip install --quiet 'uv>=0.9'

ifneq ($(UV),.opsmend/uv/bin/uv)
$(UV): ;
endif

lint: setup ## ruff, mypy strict, layers
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports

test: setup ## lint, and beside it all tests but those of whole processes
	@$(MAKE) --no-print-directory --jobs 2 lint pytest

pytest: setup ## the tests of `make test` without lint (ARGS='tests/unit/ci -n 0')
	$(PYTEST) -n 4 --no-loadscope-reorder --ignore tests/integration $(ARGS)

end-to-end: setup ## the tests of `opsmend up`, with all its processes, as an operator finds it
	$(WHOLE) $(ARGS) || { [ $$? -eq 1 ] && $(WHOLE) --last-failed --last-failed-no-failures none $(ARGS); }

demo: setup ## one alert becomes one verified, approved, remembered fix (ARGS=--yes approves by itself)
	@$(RUN) opsmend demo $(ARGS)

chaos: setup ## kill the worker at every point of an incident, and Temporal, Milvus, Kubernetes, Slack around it
	$(RUN) python -m tests.chaos $(ARGS)

storms: setup ## a hundred targets suffer from one cause: who is asked, and how often? (ARGS='--only node --targets 20')
	$(RUN) python -m tests.storms $(ARGS)

bench: setup ## opsmend beside bare Temporal, one table, bench/results.json
	$(RUN) python -m bench $(ARGS)

mutants: setup ## change a line of policy, agents or workflows and see whether a test notices (docs/mutants.md)
	nice -n 19 $(RUN) --group mutation python -m tests.mutants $(ARGS)

lab-build: setup ## fetch and build all that the lab runs (ARGS='--kubernetes 1.31' is an older Kubernetes)
	@$(RUN) python -m lab build $(ARGS)

lab-up: setup ## a real Kubernetes node on this machine (Linux, root), with Prometheus and Alertmanager (ARGS='--kubernetes 1.31' is an older one)
	@$(RUN) python -m lab up $(ARGS)

lab-down: setup ## stop it; nothing is left, also after a crash
	@$(RUN) python -m lab down

lab-status: setup ## what of it runs
	@$(RUN) python -m lab status

lab-crash: setup ## kill all its daemons with pods on it: nothing is left all the same (it is down afterwards)
	$(RUN) python -m tests.drills.crash

lab-contract: setup ## the questions of the contract suite to the lab's API server, and each account trying to escape there
	OPSMEND_TEST_KUBECONFIG=$(CURDIR)/.opsmend/lab/kubeconfig $(RUN) pytest tests/contract/api_server tests/escapes $(ARGS)

drills: setup ## faults on the lab's cluster, each from Prometheus' alert to the closed incident
	$(RUN) python -m tests.drills $(ARGS)

ci: setup ## what must pass before a change lands: the core and one heavy part (docs/ci.md)
	$(RUN) python -m ci run

full: setup ## every part of CI, or PARTS='demo drills'; writes ci/results.json
	$(RUN) python -m ci full $(PARTS)
