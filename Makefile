# Every target sets up what it needs. PYTHON may name any interpreter from 3.11 to 3.13.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= var
DEMO_HOME ?= $(HOME_DIR)/demo
REAL_HOME ?= $(HOME_DIR)/real
REAL_DATA ?= ../shared/data/real/altai-krai-vpr
# Read where they lie; the folder's raw workbooks repeat its Parquet files.
REAL_PARTS := participants registry context reference manifest.csv

# Nothing here reports home, and no run needs the network once `make setup` is done.
export DAGSTER_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false
# The secret that keys the hashes of exam participants. This one serves the made-up region only.
DEMO_SECRET := made-up-region-only

SPARK_VENV := .venv-spark
SHARED_VENV := .venv-shared

.PHONY: setup run test soak spark-test shared-test lint format ui dashboard real bench lock clean

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet "uv>=0.9"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	$(BIN)/python -m compileall -q opora pipelines assets resources schemas dashboards
	touch $@

run: setup
	OPORA_PERSON_SECRET=$(DEMO_SECRET) $(BIN)/opora demo --home $(DEMO_HOME)
	OPORA_PERSON_SECRET=$(DEMO_SECRET) $(BIN)/opora run --home $(DEMO_HOME)

real: setup
	$(BIN)/opora receive --link --home $(REAL_HOME) $(addprefix $(REAL_DATA)/,$(REAL_PARTS))
	$(BIN)/opora run --home $(REAL_HOME)

ui: setup
	OPORA_PERSON_SECRET=$(DEMO_SECRET) $(BIN)/opora ui --home $(DEMO_HOME)

# The pages over the made-up region, which is made first if it is not there.
dashboard: setup
	test -e $(DEMO_HOME)/releases/current || $(MAKE) run
	$(BIN)/opora dashboard --home $(DEMO_HOME)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# A file at a time to each of as many processes as there are cores.
test: lint
	$(BIN)/python -m pytest --numprocesses logical --dist loadfile --no-loadscope-reorder

# The long form of the tests that repeat: hundreds of kills, dozens of publishes, thousands of changed files;
# and examples of the property tests that the suite has not seen.
soak: setup
	$(BIN)/python -m pytest -m soak
	$(BIN)/python -m pytest -m "hypothesis and not soak" --hypothesis-profile=new

# All marts by dbt on a Spark cluster on loopback, equal to DuckDB's cell by cell. An environment of its own, and Java 17.
spark-test: setup $(SPARK_VENV)/.ready
	@java -version >/dev/null 2>&1 || { echo "no Java: Spark needs Java 17 (Debian: openjdk-17-jre-headless)"; exit 1; }
	$(SPARK_VENV)/bin/python -m pytest -rs tests/spark

# One instance of Dagster in Postgres, with a queue and two workers. An environment of its own, and Postgres.
shared-test: setup $(SHARED_VENV)/.ready
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { echo "no Postgres server (Debian: postgresql)"; exit 1; }
	$(SHARED_VENV)/bin/python -m pytest tests/shared

.venv-%/.ready: requirements-%.lock pyproject.toml
	$(PYTHON) -m venv --clear $(@D)
	$(BIN)/uv pip install --quiet --python $(@D)/bin/python --compile-bytecode --require-hashes -r $<
	$(BIN)/uv pip install --quiet --python $(@D)/bin/python --no-deps --editable .
	touch $@

# Larger countries on request: make bench BENCH="--size 5m --size 40m".
bench: setup
	$(BIN)/python benchmarks/country.py $(BENCH)
	$(BIN)/python benchmarks/region.py $(REAL_DATA) --runs 1

lock:
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra pages --universal --python-version 3.11 --generate-hashes -q -o requirements.lock
	for extra in spark shared; do \
		$(BIN)/uv pip compile pyproject.toml --extra dev --extra $$extra --constraint requirements.lock \
			--universal --python-version 3.11 --generate-hashes -q -o requirements-$$extra.lock || exit 1; \
	done

clean:
	rm -rf $(VENV) $(SPARK_VENV) $(SHARED_VENV) $(DEMO_HOME) $(REAL_HOME) dbt/target dbt/logs
