# `make run`, `make test`, and `make bench` for speed beside peers. All set up .venv from requirements.lock
# when needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# Jobs and DVC stages call tools by name; numpy must not start more threads than it was given.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.PHONY: run test test-slurm stress bench setup slurm team lock anew

run: $(READY)
	@snakemake -- all
	@python -m zenn.pipeline.report.show results/report/index.html

test: $(VENV)/team/ready
	ruff check .
	ruff format --check .
	lint-imports
	mypy
	snakemake --lint
	PYTHONPATH="$(CURDIR)/$(VENV)/team" pytest -n 2 --dist worksteal --durations 20

# Hundreds of kills and injected faults: minutes to an hour, not part of CI.
stress: $(READY)
	pytest -m stress --durations 10 tests

# On a Slurm of one node that is started for it. What only some users need lies apart: see `slurm` and `team`.
test-slurm: $(VENV)/slurm/ready
	PYTHONPATH="$(CURDIR)/$(VENV)/slurm" tests/slurm/one_node.sh pytest -m slurm --durations 5 tests/slurm

$(VENV)/slurm/ready $(VENV)/team/ready: $(VENV)/%/ready: requirements-%.lock $(READY)
	@rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(@D) -r $<
	@touch $@

bench: $(READY)
	python -m benchmarks.materials
	python -m benchmarks.landscape
	python -m benchmarks.classification_loss

setup: $(READY)

# slurm: where there is a cluster; Snakemake loads all its plugins, and with this one starts half a second later.
# team: where results are shared over SSH.
slurm team: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-$@.lock

# Made anew when the lock file changes, or when another Python is asked for by name: nothing lingers.
ifeq ($(origin PYTHON),command line)
ifneq ($(shell $(PYTHON) -V 2>&1),$(shell $(BIN)/python -V 2>&1))
$(READY): anew
endif
endif
anew:

$(READY): requirements.lock workflow/check_python.py
	@$(PYTHON) workflow/check_python.py
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@# Python compiles what is imported; most of these 23 000 files never are.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# After a change of dependencies in pyproject.toml. The CUDA packages are torch's own exact pins: left out
# here, they come with torch wherever its build asks for them.
lock:
	uv pip compile --universal --python-version 3.11 --no-annotate --no-header --group dev pyproject.toml \
	  | grep -v -E '^(nvidia-|cuda-|triton)' > requirements.lock.new
	mv requirements.lock.new requirements.lock
	uv pip compile --universal --python-version 3.11 --no-annotate --no-header --extra slurm pyproject.toml \
	  --constraints requirements.lock | grep -E '^snakemake-executor-plugin-slurm' > requirements-slurm.lock.new
	mv requirements-slurm.lock.new requirements-slurm.lock
	uv pip compile --universal --python-version 3.11 --no-annotate --no-header --extra team pyproject.toml \
	  --constraints requirements.lock | grep -E '^(dvc-ssh|sshfs|bcrypt)==' > requirements-team.lock.new
	mv requirements-team.lock.new requirements-team.lock
