# `make demo` and `make test` work on a fresh machine: they make the virtual environment and install what is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SYSTEM := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
BROWSER := chromium poppler-utils
NODE := nodejs npm

.PHONY: demo test lint docs bench golden accuracy clean

demo: $(VENV)/.ready system
	$(BIN)/orphanscan demo --dir .demo

test: $(VENV)/.ready system browser node openssh postgresql slapd java
	$(BIN)/pytest --numprocesses auto --dist loadfile

lint: $(VENV)/.ready
	$(BIN)/ruff format --check scanner tests benchmarks
	$(BIN)/ruff check scanner tests benchmarks
	$(BIN)/mypy

docs: $(VENV)/.ready
	$(BIN)/python -m scanner.docs

bench: $(VENV)/.ready
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.every_rule
	$(BIN)/python -m benchmarks.collecting
	$(BIN)/python -m benchmarks.page
	$(BIN)/python -m benchmarks.reports

# The texts of the reports that the tests compare: run it after a change of wording, and read the diff.
golden: $(VENV)/.ready
	$(BIN)/python tests/report/golden.py

accuracy: $(VENV)/.ready
	$(BIN)/python -m benchmarks.accuracy --write

$(VENV)/.ready: pyproject.toml | openldap
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed: make PYTHON=python3.12 ...'; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

# WeasyPrint draws text with Pango, a system library.
.PHONY: system browser node openssh
system:
	@ldconfig -p 2>/dev/null | grep -q libpangoft2 || $(MAKE) --no-print-directory install PACKAGES='$(SYSTEM)'

browser:
	@command -v chromium >/dev/null || $(MAKE) --no-print-directory install PACKAGES='$(BROWSER)'

# One of the real SCIM servers of the tests runs on Node.js.
node:
	@command -v npm >/dev/null || $(MAKE) --no-print-directory install PACKAGES='$(NODE)'

# Keys of approvers may be OpenSSH's; the tests let it make some.
openssh:
	@command -v ssh-keygen >/dev/null || $(MAKE) --no-print-directory install PACKAGES='openssh-client'

# A database to collect accounts from, in a cluster that the tests make for themselves.
.PHONY: postgresql
postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || $(MAKE) --no-print-directory install PACKAGES='postgresql'

# A directory to collect accounts from, likewise.
.PHONY: slapd
slapd:
	@command -v slapd >/dev/null || [ -x /usr/sbin/slapd ] || $(MAKE) --no-print-directory install PACKAGES='slapd'

# The library that speaks to directories is built against OpenLDAP's, once, when the virtual environment is made.
.PHONY: openldap
openldap:
	@[ -e /usr/include/ldap.h ] && [ -e /usr/include/sasl/sasl.h ] || $(MAKE) --no-print-directory install PACKAGES='gcc libc6-dev libldap-dev libsasl2-dev'

# PDFs are checked by veraPDF, a program in Java; its XML binding is no part of Java any more.
.PHONY: java
java:
	@command -v javac >/dev/null && ls /usr/share/java/jaxb-runtime.jar >/dev/null 2>&1 || $(MAKE) --no-print-directory install PACKAGES='default-jdk-headless libjaxb-java'

.PHONY: install
install:
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(PACKAGES) >/dev/null; \
	else echo 'Please install these packages with your system package manager: $(PACKAGES)'; exit 2; fi

clean:
	rm -rf $(VENV) .demo dist
