.DEFAULT_GOAL := help
.PHONY: help install run test test-fast test-full test-pythons fuzz lint format lock package sbom docs bundle postman docs-site bench bench-check soak

help: ## say what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## make .venv with the exact versions that are tested
	@scripts/install dev

run: ## set everything up, then serve both APIs on 127.0.0.1:8080 (options: make run ARGS="--port 9000 --seed")
	@scripts/install run
	@exec .venv/bin/tmf-sales serve $(ARGS)

test: install ## set everything up, then run all tests but the long ones
	@scripts/test $(ARGS)

test-fast: install ## the tests of single modules, for daily work, under a minute
	@scripts/test-fast $(ARGS)

test-pythons: install ## the fast tests on every other supported Python that this machine has
	@scripts/test-pythons

test-full: install ## the long tests, which make test leaves out
	@scripts/test-full $(ARGS)

fuzz: install ## look for what Schemathesis has not found yet, for 10 minutes (options: make fuzz ARGS="--seconds 60")
	@scripts/fuzz $(ARGS)

lint: install ## check style, types, imports, file sizes and names
	@scripts/lint

format: install ## put the code into its form
	@scripts/format

lock: install ## update requirements*.lock and print what changed (options: make lock ARGS=--upgrade)
	@scripts/lock $(ARGS)

package: install ## build wheel and sdist into dist/ and check them
	@scripts/package

sbom: install ## write a CycloneDX bill of materials to build/tmf-sales.cdx.json
	@scripts/sbom

docs: install ## write the tables of docs/reference anew
	@PYTHONPATH=. .venv/bin/python scripts/reference_tables.py
	@PYTHONPATH=. .venv/bin/python scripts/conformance_table.py
	@PYTHONPATH=. .venv/bin/python scripts/leniency_table.py

bundle: install ## write each contract in one file and in the gateways' form to build/contracts
	@scripts/bundle

postman: install ## write a Postman collection for each API to build/postman
	@scripts/postman

docs-site: install ## build the documentation site, which works offline, in build/docs-site
	@scripts/docs_site

bench: install ## measure the service beside other frameworks, about eight minutes (options: make bench ARGS="--write")
	@scripts/bench $(ARGS)
	@scripts/bench_mongo

bench-check: install ## count the instructions of a request with valgrind, and say whether they became more
	@.venv/bin/python -W ignore -m scripts.benchmark.instructions $(ARGS)

soak: install ## load the service for an hour while everything restarts in turn (options: make soak ARGS="--minutes 10")
	@.venv/bin/python -W ignore -m scripts.soak $(ARGS)
