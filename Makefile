# The usual errands. Everything else is `cargo run -- help`.

# What scripts/setup puts into the project is looked for last, so that the machine's own comes first.
export PATH := $(PATH):$(CURDIR)/.tools/nats/bin:$(HOME)/.cargo/bin

.PHONY: help run test soak fuzz storm setup

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s%s\n", $$1, $$2 }'

run: setup ## Start everything on this machine: http://localhost:8080 (options: ARGS="--port 9000")
	cargo run --release -- dev $(ARGS)

test: setup ## Run every test (one of them: ARGS="--test it stack")
	cargo test --workspace $(ARGS)

soak: setup ## Random cases against the event store for FIDO_SOAK_MINUTES (10), or FIDO_SEED again and again
	cargo test --release --test it properties::soak -- --ignored --exact --nocapture

fuzz: setup ## Random requests against the whole API as each role for FIDO_FUZZ_MINUTES (10)
	cargo test --release --test it schemathesis::soak -- --ignored --exact --nocapture

storm: setup ## Kill projectors, relay and nats-server 30 times under load, wipe its store twice (one again: FIDO_SEED)
	cargo test --release --test it storm::thirty_kills -- --ignored --nocapture

setup: ## Install what is missing: PostgreSQL, nats-server, a C compiler, curl, Python
	@scripts/setup
