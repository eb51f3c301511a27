# Developer targets. PYTHON is an interpreter with the dev extra (CONTRIBUTING.md);
# users need none of this: python3 run.py demo, python3 run.py test.

PYTHON ?= python3
DEBUG_PYTHON ?= python3.11-dbg
FT_PYTHONS ?= python3.13 python3.14 python3.15
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
# what is worth running on instrumented or slow interpreters, as a pytest -k expression
CORE ?= contract or differential or attacks or leaks

# of pytest, under the sanitizers
SANITIZE_ARGS ?= -n auto --dist loadgroup --timeout 900

SECONDS ?= 60

.PHONY: help build check check-all pythons debug asan asan-clang fuzz oom planted valgrind ft bench format lint clean

help:
	@sed -n 's/^\([a-z -]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

build:  ## compile in place, warnings are errors
	PYGENX_DEV=1 $(PYTHON) setup.py --quiet build_ext --inplace

lint:  ## formatting and style of C and Python
	$(CLANG_FORMAT) --dry-run --Werror src/*.c src/*.h
	ruff check .
	ruff format --check .

check: build lint  ## everything that must pass before a commit
	$(PYTHON) -m pytest

check-all:  ## every Python found: release builds in full, debug builds with the core
	$(PYTHON) .ci/every.py all

pythons:  ## unpack Python 3.14 and 3.15, and their debug builds, into .pythons (Debian)
	.ci/pythons

debug:  ## core tests on a Py_DEBUG interpreter: assertions, reference totals
	PYGENX_DEV=1 $(DEBUG_PYTHON) run.py test -q -k "$(CORE)"

asan asan-clang:  ## the suite under gcc's (clang's) address and UB sanitizers
	.ci/sanitize $(if $(findstring clang,$@),clang,gcc) $(PYTHON) $(SANITIZE_ARGS)

fuzz: build  ## random programs under attack for SECONDS (tests/isolated/fuzz/)
	PYTHONPATH=.:tests:tests/isolated $(PYTHON) -m fuzz --seconds $(SECONDS)

oom: build  ## every allocation fails once
	$(PYTHON) -m pytest -q -k oom

planted:  ## every bug of tests/planted.toml must make its attack fail (slow)
	$(PYTHON) tests/planted.py

valgrind: build  ## bad and uninitialised reads, lost blocks, on the plain build
	.ci/memcheck $(PYTHON)

tidy:  ## static analysis: clang-tidy, cppcheck
	ls src/*.c | xargs -P "$$(nproc)" -I{} $(CLANG_TIDY) --quiet {} -- -std=c11 \
	    -I"$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')"
	cppcheck --quiet --std=c11 --enable=warning,performance,portability \
	    -DPY_VERSION_HEX=0x030f0000 --suppressions-list=.ci/cppcheck.supp \
	    --error-exitcode=1 -j "$$(nproc)" src

dist-check:  ## sdist and wheel: contents, installation, tests of the installed package
	$(PYTHON) .ci/dist_check.py

ft:  ## compile as for free-threaded builds, by gcc and clang (FT_PYTHONS have the headers)
	@for python in $(FT_PYTHONS); do \
	    include=$$($$python -c "import sys, sysconfig; \
	        sys.version_info >= (3, 13) and print(sysconfig.get_path('include'))" \
	        2>/dev/null); \
	    [ -n "$$include" ] || continue; \
	    for cc in gcc clang; do \
	        echo "$$cc, $$include"; \
	        printf '%s\n' src/*.c | xargs -P 4 -I{} $$cc -c {} -o /dev/null \
	            -DPy_GIL_DISABLED=1 -std=c11 -O1 -Wall -Wextra -Wshadow -Werror \
	            -Wno-unused-parameter -Wno-missing-field-initializers \
	            -I$$include || exit 1; \
	    done; \
	done

bench: build  ## the full benchmark
	$(PYTHON) benchmarks/run.py

format:  ## rewrite C and Python in the project's style
	$(CLANG_FORMAT) -i src/*.c src/*.h
	ruff check --fix .
	ruff format .

clean:  ## remove what builds leave behind
	rm -rf build dist *.egg-info pygenx/_pygenx.*.so
