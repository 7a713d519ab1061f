# Martlet. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

PYTHON := .venv/bin/python
# Debug programs carry coverage counters; only `make check` keeps what they count.
NO_PROFILE := LLVM_PROFILE_FILE=/dev/null

# Size of the smoke in `make test`, and of the whole run in `make faults`.
WORLDS ?= 2000
KILL_ROUNDS ?= 10
CUT_ROUNDS ?= 5
FAULT_ROUNDS ?= 200
FAULT_WORLDS ?= 100000
# How long `make fuzz` spends on each reader. (The shell has a SECONDS of its own; it is not taken.)
ifneq ($(origin SECONDS),command line)
SECONDS := 60
endif

## What a stranger needs

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^## / {printf "\n%s\n", substr($$0, 4)} /^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what building and testing need; says what and why; quick when nothing is missing
	@scripts/setup

.PHONY: run
run: setup ## build, start Martlet, a simulated operator and a bank of five customers, print what to try; Ctrl-C stops all
	@scripts/run-demo

.PHONY: test
test: setup check faults-smoke ## what a change must pass: check, and a smoke of the fault runs

## For a change

.PHONY: build
build: ## debug build of programs and tests, the one configuration that check and coverage use
	@scripts/build debug

.PHONY: release
release: ## release build of both programs, Swift's library linked in
	@scripts/build release

.PHONY: check
check: lint build ## format, architecture, unit, conformance and golden tests, 2,000 seeded worlds (WORLDS=n)
	@# The worlds by themselves: they take every thread, and tests with sockets would wait behind them.
	@$(NO_PROFILE) MARTLET_WORLDS=$(WORLDS) scripts/check-tests --filter Worlds
	@scripts/check-tests

.PHONY: lint
lint: ## the format rules of .swift-format, changing nothing; the starter library's checker
	@swift format lint --strict --parallel --recursive Package.swift Sources Tests
	@scripts/check-library

.PHONY: format
format: ## apply the format rules to our own sources
	@swift format --in-place --parallel --recursive Package.swift Sources Tests

.PHONY: coverage
coverage: setup build ## share of lines that the tests run, per module; fails under 97 %; pages in coverage/html
	@MARTLET_WORLDS=$(WORLDS) scripts/coverage --minimum 97 --html

.PHONY: interop
interop: release ## against software that nobody here wrote, both as its server and as its client
	@scripts/setup --interop
	@set -e; for check in Tests/Interop/*/*_check.py; do echo "$$check"; $(PYTHON) "$$check"; done

.PHONY: reference
reference: build ## write the generated pages of docs/reference and config/martlet.yaml anew
	@$(NO_PROFILE) UPDATE_REFERENCE=1 scripts/check-tests --filter Reference

.PHONY: locales
locales: setup ## write what templates know of languages, and what their tests expect, anew from CLDR
	@$(PYTHON) -m pip --quiet --disable-pip-version-check install --require-hashes -r scripts/requirements-locales.txt
	@$(PYTHON) scripts/make-locales

## Faults

.PHONY: faults-smoke
faults-smoke: ## kill -9, power cut, flipped bits, bad input, a desk in trouble, restore, erasure: a few rounds each (KILL_ROUNDS=10 CUT_ROUNDS=5), with the debug build
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/kill9.py --rounds $(KILL_ROUNDS) --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/projector.py --rounds 4 --store sqlite --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/bitflips.py --rounds 12 --live 1 --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/powercut.py --rounds $(CUT_ROUNDS) --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/badinput.py --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/desk.py --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/hops.py --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/publishing.py --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/caps.py --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/imports.py --lines 10000 --kills 2 --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/withdrawals.py --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/sums.py --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/outage.py --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/environment.py --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/restore.py --build debug
	@$(NO_PROFILE) $(PYTHON) Tests/Faults/erasure.py --build debug

.PHONY: faults
faults: setup release worlds ## the whole: kill -9 and power cut, 200 rounds each, with the release build; seeded worlds
	@$(PYTHON) Tests/Faults/kill9.py --rounds $(FAULT_ROUNDS) --build release
	@set -e; for store in sqlite postgres; do for by in program desk; do \
		$(PYTHON) Tests/Faults/projector.py --rounds $(FAULT_ROUNDS) --store $$store --by $$by --spills 3 --build release; done; done
	@$(PYTHON) Tests/Faults/bitflips.py --rounds 1000 --live 20 --build release
	@$(PYTHON) Tests/Faults/powercut.py --rounds $(FAULT_ROUNDS) --build release
	@$(PYTHON) Tests/Faults/syscalls.py --build release
	@$(PYTHON) Tests/Faults/badinput.py --build release
	@$(PYTHON) Tests/Faults/desk.py --rounds 6 --build release
	@$(PYTHON) Tests/Faults/hops.py --build release
	@$(PYTHON) Tests/Faults/publishing.py --releases 40 --pause 0.005 --build release
	@$(PYTHON) Tests/Faults/caps.py --rounds 100 --build release
	@$(PYTHON) Tests/Faults/imports.py --lines 500000 --kills 5 --store sqlite --build release
	@$(PYTHON) Tests/Faults/imports.py --lines 500000 --kills 5 --store postgres --build release
	@$(PYTHON) Tests/Faults/outage.py --stopped 600 --frozen 120 --build release
	@set -e; for store in sqlite postgres; do $(PYTHON) Tests/Faults/withdrawals.py --lines 500000 --limit 2 --store $$store --build release; \
	    $(PYTHON) Tests/Faults/sums.py --rounds 2000 --store $$store --build release; done
	@$(PYTHON) Tests/Faults/smalldisk.py --volume 512 --build release
	@$(PYTHON) Tests/Faults/environment.py --build release
	@set -e; for store in sqlite postgres; do for script in restore erasure; do \
	    $(PYTHON) Tests/Faults/$$script.py --store $$store --build release; done; done

.PHONY: worlds
worlds: setup ## seeded worlds of the core, optimised (FAULT_WORLDS=100000); SEED=n replays one
	@swift build -c release --build-tests --package-path Tests/Worlds
	@MARTLET_WORLDS=$(FAULT_WORLDS) $(if $(SEED),MARTLET_SEED=$(SEED)) scripts/check-tests -c release --package-path Tests/Worlds

.PHONY: fuzz
fuzz: ## the readers of foreign octets under libFuzzer, so many seconds each (SECONDS=60)
	@Fuzz/run $(SECONDS)

## Figures

.PHONY: bench-tools
bench-tools: ## build the load generators, the floor, the library's own benchmark, those of customers and decisions
	@swift build -c release --package-path Benchmarks
	@swift build -c release --package-path Benchmarks/library
	@swift build -c release --package-path Benchmarks/customers
	@swift build -c release --package-path Benchmarks/decisions

.PHONY: bench
bench: release bench-tools ## the project's figures, with the machine's load beside them
	@scripts/setup --bench
	@$(PYTHON) Benchmarks/bench.py $(ARGS)

.PHONY: bench-peers
bench-peers: release bench-tools ## Kannel and Martlet in the same run
	@scripts/setup --bench
	@$(PYTHON) Benchmarks/peers.py $(ARGS)

## Hand over

.PHONY: dist
dist: setup ## static, stripped programs in dist/ with their checksum
	@scripts/dist

.PHONY: demo-check
demo-check: setup ## start the demo, send one SMS, see it on the handset with its receipt; judge what it says of each event; run the guide's lines; replay
	@scripts/run-demo --check
	@scripts/run-demo --then scripts/demo-events --check
	@scripts/run-demo --then scripts/demo-documents

.PHONY: clean-demo
clean-demo: ## forget the demo's keys and data
	@rm -rf .demo
