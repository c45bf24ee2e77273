# Misy: `make run` to try it, `make test` to test it, `make help` for the rest.
.DEFAULT_GOAL := help
.PHONY: help setup run build test test-rust test-docs test-web test-sdk test-size test-browser test-api-client test-api api-client lint lint-rust lint-web deny fmt bench drift openapi sdk console

CARGO ?= cargo
NPM_STAMP := node_modules/.package-lock.json
SDK := packages/sdk/dist/misy.js
CONSOLE := packages/console/dist/index.html

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup build ## Install what is missing, build, start with demo data and print the links
	@scripts/models || echo "no weights could be installed: questions are understood by their words alone" >&2
	target/release/misy demo

setup: ## Install what is missing on a Debian machine: PostgreSQL, a C compiler
	@scripts/setup run

build: $(SDK) $(CONSOLE) ## Build target/release/misy
	$(CARGO) build --release --locked --bin misy

sdk: $(SDK) ## Build the widget and its types

console: $(CONSOLE) ## Build the console

$(NPM_STAMP): package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

$(SDK): $(NPM_STAMP) $(shell find packages/sdk/src packages/sdk/scripts -type f 2>/dev/null) packages/sdk/package.json
	npm run build --silent

# The program holds both, so both come before it.
$(CONSOLE): $(NPM_STAMP) $(shell find packages/console/src packages/api-client/src -type f 2>/dev/null) $(wildcard packages/console/*.*)
	npm run build:console --silent

test: ## Run all tests; goes on after a part that fails and names those at the end
	@scripts/setup test
	@scripts/all-of test-rust test-docs test-sdk test-size test-api-client test-browser

test-rust: $(SDK) $(CONSOLE) ## Tests of the server, with a real PostgreSQL and Redis
	scripts/test-rust

# Says what must not compile.
test-docs:
	$(CARGO) test --quiet --locked --doc -p misy-store -p misy-front-desk

target/debug/misy: FORCE $(SDK) $(CONSOLE)
	$(CARGO) build --locked --bin misy

FORCE:

test-web: ## Tests of the SDK, the widget and the client, in a real browser against the real program
	@scripts/all-of test-sdk test-size test-api-client test-browser

test-sdk: $(NPM_STAMP)
	npm test --silent

test-size: $(SDK) $(CONSOLE)
	npm run size --silent

test-browser: target/debug/misy
	scripts/with-demo npm run test:e2e --silent

test-api-client: target/debug/misy
	scripts/with-demo npm run test:api-client --silent

test-api: target/debug/misy ## Throw generated requests at every operation of the running program
	scripts/with-demo scripts/schemathesis

lint: lint-rust lint-web ## Formatting, lints of Rust and TypeScript

lint-rust: $(SDK) $(CONSOLE)
	$(CARGO) fmt --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

lint-web: $(SDK) $(CONSOLE)
	npm run lint --silent

deny: $(NPM_STAMP) ## Licences, sources and versions of what is used
	scripts/deny

fmt: ## Format the code
	$(CARGO) fmt

openapi: $(SDK) $(CONSOLE) ## Write docs/openapi.json from the code
	$(CARGO) run --quiet --bin misy -- openapi > docs/openapi.json

api-client: $(NPM_STAMP) openapi ## Write the TypeScript client from the description
	npm run api-client --silent

drift: $(SDK) $(CONSOLE) ## Fail when generated files differ from what the code says
	scripts/sqlx-metadata --check
	$(CARGO) run --quiet --bin misy -- openapi | diff - docs/openapi.json
	npm run api-client --silent -- -- --check

bench: build ## Measure against the budgets of docs/PERFORMANCE.md
	bench/run
