# Everything a developer needs; `make` alone lists it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test check policies bench bench-realtime soak fuzz install-run install-test install-bench

ARGS ?=
FUZZ_SECONDS ?= 60
SOAK_STEPS ?= 20000
SOAK_SECONDS ?= 600
SOAK_REALTIME_SECONDS ?= 1200

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: install-run ## Build, start PostgreSQL, Redis and the gateway with the example application (ARGS='--port 54400')
	@cargo build --quiet --release --package passerelle-gateway
	@exec "$${CARGO_TARGET_DIR:-target}/release/passerelle" dev $(ARGS)

test: install-test ## Run all tests against private servers on free ports (ARGS='-p passerelle-sql')
	cargo test $(if $(ARGS),$(ARGS),--workspace)

check: ## Formatting, lints, documentation, layers, dependencies: everything but the tests
	@scripts/check

policies: ## Print who may do what in the example application (docs/policies.md)
	@cargo run --quiet --package e2e --bin policies

bench: install-bench ## Measure the stages, and the gateway beside pgbench
	cargo bench --workspace
	cargo build --quiet --profile dist --package passerelle-gateway
	node bench/bench.mjs $(ARGS)
	node bench/cached.mjs
	node bench/accounts.mjs

bench-realtime: install-bench ## Measure sockets, broadcast, changes of rows and private channels (ARGS='--rounds 1')
	cargo build --quiet --profile dist --package passerelle-gateway
	cargo build --quiet --profile dist --package passerelle-realtime --example load
	node bench/realtime.mjs $(ARGS)

soak: install-test ## Kept replies and realtime under faults, for long (SOAK_STEPS, SOAK_SECONDS of each fault, SOAK_REALTIME_SECONDS)
	PROOF_STEPS=$(SOAK_STEPS) PROOF_SEED=$$(date +%s) REGISTERS_SECONDS=$(SOAK_SECONDS) \
		cargo test --release --package e2e --test it cache:: -- --nocapture
	SOAK_REALTIME_SECONDS=$(SOAK_REALTIME_SECONDS) SOAK_SEED=$$(date +%s) \
		cargo test --release --package e2e --test it realtime::soak -- --nocapture

fuzz: ## Fuzz every target for FUZZ_SECONDS each (needs cargo-fuzz)
	@scripts/fuzz $(FUZZ_SECONDS)

install-run:
	@scripts/install rust compiler postgresql redis

install-bench:
	@scripts/install rust compiler postgresql redis node load
	@scripts/packages

install-test:
	@scripts/install rust compiler postgresql redis node
	@scripts/install browser || echo "Without Chromium, tests that need a browser are skipped." >&2
	@scripts/packages
