# make demo   heal a small broken repository, live        make test    run the tests
# make check  lint, types, import contracts, lock          make lock    resolve the dependencies anew
# make bench  figures of speed and memory, beside others   make docs    write the generated pages of docs/
# make pictures HOME_FOLDER=… TO=…  draw the Slack cards of a home's questions, Prefect's form and the approval page
# make test-cluster  run the tests that need a Kubernetes cluster, in namespaces of their own, on that of KUBECONFIG
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TESTS ?= tests
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: install demo test test-cluster check bench pictures confidence docs lock clean
.DEFAULT_GOAL := install

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Healflow needs Python 3.11 or later: make PYTHON=python3.11 …") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || { echo "Making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the locked packages into $(VENV) (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	@touch $(STAMP)

install: $(STAMP)

demo: $(STAMP)
	@$(BIN)/healflow demo $(ARGS)

# loadgroup, and no groups: each worker takes one test at a time, so that none sits on a file of long ones.
test: $(STAMP)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(TESTS) $(ARGS)

test-cluster: $(STAMP)
	@if [ -n "$$KUBECONFIG" ]; then \
	  $(BIN)/python -m pytest -n 2 --dist loadfile tests/cluster -m "not alone" $(ARGS); beside=$$?; \
	  $(BIN)/python -m pytest tests/cluster -m alone $(ARGS) && exit $$beside; \
	else echo "tests/cluster skipped: KUBECONFIG names no cluster"; fi

check: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@PYTHONPATH=. $(BIN)/python .ci/write_docs.py --check
	@$(BIN)/python .ci/slice_lock.py --check
	@$(BIN)/python .ci/check_lock.py

docs: $(STAMP)
	@PYTHONPATH=. $(BIN)/python .ci/write_docs.py

bench: $(STAMP)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

pictures: $(STAMP)
	@PYTHONPATH=. $(BIN)/python .ci/draw_cards.py $(HOME_FOLDER) $(TO)
	@PYTHONPATH=. $(BIN)/python .ci/draw_forms.py $(TO)

confidence: $(STAMP)
	@PYTHONPATH=. $(BIN)/python .ci/measure_confidence.py tests/evaluation/labels.yaml $(CASES)

lock:
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv; }
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --extra dev --extra postgres pyproject.toml --output-file requirements.lock
	@$(BIN)/python .ci/slice_lock.py

clean:
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
