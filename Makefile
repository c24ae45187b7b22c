# Stepdown. `make` alone lists what can be done; the two that matter are `make run` and `make test`.
#
# Needs Python 3.11, 3.12 or 3.13, and make. Everything else is installed below this folder from requirements/*.lock.
# Environments: .venv the server and the tools · .venv-peers public tools the tests talk to · .venv-load load tests ·
# .venv-train training.

LOCK ?= cpu# the ONNX Runtime: cpu, cuda or migraphx
WORKERS ?= 2# processes that share the tests

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DEFAULT_GOAL := help
export UV_PYTHON_DOWNLOADS := never

# The Python that .venv was made with, else the first in the range that really starts: a version manager's shim may
# exist and fail.
define find_python
made=$$(sed -n 's/^executable = //p' .venv/pyvenv.cfg 2>/dev/null); \
{ echo "$$made"; IFS=:; for name in python3.11 python3.12 python3.13 python3 python; do for folder in $$PATH; do \
	[ -x "$$folder/$$name" ] && echo "$$folder/$$name"; done; done; } | while read -r python; do \
	"$$python" scripts/environment.py --supported 2>/dev/null && \
	{ echo "$$python"; break; }; done
endef
PYTHON ?= $(shell $(find_python))
no_python = $(error Python 3.11, 3.12 or 3.13 is needed; none on PATH starts. Name one: make PYTHON=/path/to/python3)
install = $(or $(strip $(PYTHON)),$(no_python)) scripts/environment.py

bin := .venv/bin
no_lock = $(error LOCK=$(LOCK) names no lock: it is cpu, cuda or migraphx)
runtime = $(or $(wildcard requirements/$(LOCK).lock),$(no_lock)) requirements/build.lock

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------------------------------------- environments

.PHONY: setup
setup: ## install the server into .venv (LOCK=cpu|cuda|migraphx)
	@$(install) .venv $(runtime) --project

.PHONY: setup-dev
setup-dev: ## install the server and the tools for check and test
	@$(install) .venv $(runtime) requirements/dev.lock --project
	@$(install) .venv-peers requirements/peers.lock
	@$(install) .venv-load requirements/loadtest.lock requirements/build.lock --project

.PHONY: lock
lock: setup-dev ## resolve requirements/*.lock again (UPGRADE=1 moves every pin)
	PATH="$(CURDIR)/$(bin):$$PATH" $(bin)/python scripts/locks.py write $(if $(UPGRADE),--upgrade)

# --------------------------------------------------------------------------------------------------------------- use

.PHONY: run
run: setup ## serve the demo pathway on loopback (ARGS=... goes to `stepdown demo`)
	@exec $(bin)/stepdown demo $(ARGS)

.PHONY: loadtest
loadtest: setup ## load under failures, and a report (ADDRESS=your staging server, SCENARIO="names or files", OBJECTIVES=file)
	@$(install) .venv-load requirements/loadtest.lock requirements/build.lock --project
	.venv-load/bin/python -m loadtests $(SCENARIO) $(if $(ADDRESS),--address "$(ADDRESS)") \
		$(if $(OBJECTIVES),--objectives "$(OBJECTIVES)") $(ARGS)

.PHONY: pictures
pictures: setup ## draw the pictures of the documentation again (an incident, then some drills: four minutes; RATE=...)
	$(bin)/python scripts/incident_picture.py
	$(bin)/python scripts/drill_picture.py $(RATE)

# ------------------------------------------------------------------------------------------------------------- green

.PHONY: check
check: setup-dev ## lint, format, types, import contracts, wire contract, freshness of everything generated
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/lint-imports --no-logo --cache-dir .cache/import-linter
	$(bin)/buf lint
	$(bin)/buf format --diff --exit-code
	$(bin)/python scripts/stubs.py check
	$(bin)/python scripts/rule_tables.py --check
	$(bin)/python scripts/channel_tables.py --check
	$(bin)/python scripts/sign_bundles.py --check
	$(bin)/python scripts/locks.py check

# Tests in which real processes must be in time: alone on the machine, while all others share its cores, and at the
# speed of the product. The floors of coverage are met by the others.
real_time := tests/conformance tests/faults

.PHONY: test
test: setup-dev ## every test, with the branch coverage of each room (reports in .build/)
	@rm -rf .cache/coverage && mkdir -p .build .cache/coverage
	$(bin)/coverage run -m pytest -n $(WORKERS) --dist worksteal --junitxml=.build/tests.xml \
		$(addprefix --ignore=,$(real_time))
	$(bin)/coverage combine --quiet
	$(bin)/coverage report
	$(bin)/coverage json --quiet -o .build/coverage.json
	$(bin)/python scripts/coverage_floor.py .build/coverage.json
	$(bin)/python -m pytest --junitxml=.build/tests-real-time.xml $(real_time)

SCHEDULES ?= 1000000# how many
FIRST ?= 0# the first seed: an interrupted run says where to go on

.PHONY: simulate
simulate: setup-dev ## live through very many schedules of faults (SCHEDULES=1000000 FIRST=0); findings become tests
	$(bin)/python -m tests.simulation run --schedules $(SCHEDULES) --first $(FIRST)

MINUTES ?= 60# how long a soak takes
SEED ?= 1# what happens in it

.PHONY: soak
soak: setup-dev ## an hour of mixed faults under load; what grows, is lost or mislabelled (MINUTES=60 SEED=1)
	$(bin)/python -m tests.soak --minutes $(MINUTES) --seed $(SEED) --json .build/soak.json

# --------------------------------------------------------------------------------------------------------------- image

SBOM ?= .build/sbom.cdx.json

.PHONY: sbom
sbom: setup-dev ## list what the image holds (CycloneDX, LOCK=cpu|cuda|migraphx SBOM=file); refuses licences not allowed
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(bin)/python scripts/sbom.py --only requirements/$(LOCK).lock \
		--site-packages "$$($(bin)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" --output $(SBOM)

.PHONY: image
image: ## build the image with buildah, podman or docker (LOCK=cpu|cuda|migraphx BASE=image TAG=name)
	@$(install) .venv-image requirements/image.lock
	.venv-image/bin/python scripts/image.py --variant $(LOCK) $(if $(BASE),--base "$(BASE)") $(if $(TAG),--tag "$(TAG)") $(ARGS)

.PHONY: bench
bench: setup-dev ## what the server costs beside the models' own run (the figures of docs/measurements.md)
	$(bin)/python -m bench.assess

.PHONY: profile
profile: setup-dev ## where the time of an AssessRisk goes, by module and by function (docs/performance.md)
	$(bin)/python -m bench.profile

# ------------------------------------------------------------------------------------------------------------ generate

.PHONY: proto
proto: setup-dev ## generate server/stepdown/api from proto/
	$(bin)/buf format --write
	$(bin)/python scripts/stubs.py write

.PHONY: tables
tables: setup-dev ## render the tables that clinicians read (a changed rule table must be signed again: make sign)
	$(bin)/python scripts/rule_tables.py
	$(bin)/python scripts/channel_tables.py

# ------------------------------------------------------------------------------------------------------------- models

# torch is asked for by version and not by digest, and from wherever pip is configured to look: docs/adr/0004.
.PHONY: setup-train
setup-train: setup
	@$(install) .venv-train requirements/train.lock requirements/build.lock --project
	@.venv-train/bin/python -m pip install --quiet torch==2.13.0

.PHONY: models
models: setup-train ## train, judge, export and sign the bundles of models/ (DATA=folder of .psv files; else simulated)
	.venv-train/bin/python -m models.training release $(if $(DATA),--data "$(DATA)")
	$(MAKE) sign

.PHONY: evaluate
evaluate: setup-train ## judge the bundles of models/ again, and write models/EVALUATION.md
	.venv-train/bin/python -m models.training evaluate $(if $(DATA),--data "$(DATA)")

.PHONY: sign
sign: setup ## sign every bundle with the demo signer's key (KEY=file outside the repository; else made and forgotten)
	$(bin)/python scripts/sign_bundles.py $(if $(KEY),--key "$(KEY)")

# --------------------------------------------------------------------------------------------------------------- tidy

.PHONY: clean
clean: ## remove what tools made, environments included
	rm -rf .venv .venv-peers .venv-load .venv-train .cache .build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
