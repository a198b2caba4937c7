"""The directions of imports, and where the outside world may be touched."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "scanner"

# Who may import whom, by top-level module of the package. Those in OPEN are open to all and not listed. A new line here
# is a decision: say why beside it.
MAY_IMPORT = {
    "__main__": {"cli"},
    "access_log": {"chain"},
    "bindings": {"collectors", "evidence"},  # knows what an origin is, and how a private file is written
    "chain": set(),
    "changes": {"evidence", "report", "store"},  # reads two sealed scans for what a report tells of them
    "clock": {"store"},  # the clock may not run backwards against what is stored
    "collect": {"collectors"},
    # Vendor profiles are TOML files, read as the configuration; a kind of source says what its table may hold.
    "collectors": {"config_connections", "config_keys", "config_ldap", "secrets"},
    "config_auth": {"config_keys", "config_values"},
    "config_connections": {"config_keys", "config_ldap", "config_rest", "config_values"},
    "config_file": {"config_auth", "config_keys", "config_notify", "config_record", "config_sources"},
    "config_keys": set(),
    "config_ldap": {"config_auth", "config_keys", "config_values"},
    "config_notify": {"config_auth", "config_keys", "config_sources", "config_values"},
    "config_record": set(),
    # The kinds of sources, each with the keys of its table; a package may bring further ones.
    "config_rest": {"config_keys", "config_values"},
    "config_sources": {
        "collectors",
        "config_auth",
        "config_connections",
        "config_keys",
        "config_rest",
        "config_values",
    },
    "config_values": {"config_keys"},
    "demo": set(),  # drives the command line as a user would
    "docs": {
        "cli",
        "docs_audit",
        "docs_configuration",
        "docs_rules",
        "docs_vendors",
        "framework_files",
        "policy",
        "rules",
        "waivers",
    },  # writes the reference from them
    "docs_audit": {"store"},
    "docs_configuration": set(),
    "docs_rules": {"frameworks", "rule_cases"},  # runs the examples
    "docs_vendors": {"collectors"},  # writes down the vendor profiles
    "difference": set(),
    # Opens what it seals, and judges it again; the store writes and reads the tables of the audit file.
    "evidence": {
        "framework_files",
        "keys",
        "known_answers",
        "pdf_seal",  # checks the hash that a report carries of itself
        "policy",
        "rule_process",
        "rule_runner",
        "rules",
        "secrets",
        "store",
    },
    "findings": set(),
    "findings_json": set(),
    "framework_files": {"config_keys", "frameworks"},
    "frameworks": set(),
    "history": set(),
    "keys": set(),
    "known_answers": {"rule_process", "rule_runner", "rules", "store"},  # makes an audit file of the data set
    "ledger": set(),
    # One way to sign in, to keep to an origin and to redact; one set of pseudonyms; files sealed beside the store.
    "notices": {"collectors", "config_notify", "evidence", "ocsf", "report", "secrets", "store"},
    "ocsf": set(),
    "pdf_child": {"report"},
    "pdf_reader": set(),
    "pdf_seal": set(),
    "period": {"changes", "evidence", "report", "store"},  # reads sealed scans, as `changes` does
    "policy": {"config_file", "config_keys"},
    # Looks into every place that may hold something of a person.
    "privacy": {"access_log", "chain", "notices", "report", "retention", "reviews", "store"},
    "record": {"ledger", "policy"},  # knows which inputs are decisions of people
    # Plans are bound to evidence and rendered as reports are; a journal becomes facts that scans show.
    "remediation": {
        *("bindings", "chain", "collectors", "config_keys", "evidence", "keys", "policy", "report", "store"),
        "waivers",  # what is accepted is not changed, also where that came after the plan
    },
    "reidentify": {"report"},
    "report": {"frameworks", "ledger", "ocsf", "pdf_seal", "trend"},
    "reports": {"evidence", "framework_files", "frameworks", "report"},
    "retention": {"access_log", "chain", "store"},
    "rule_cases": {"rule_process", "rule_runner", "rules", "store"},  # makes small audit files
    "rule_child": set(),  # nothing of ours is loaded beside a rule
    "rule_process": set(),
    "rule_runner": {"rule_process", "rules"},
    "rules": {"config_keys"},  # reads files that only their owner may write
    # Wires the parts into a scan; nothing but the command line imports it.
    "scan": {
        "access_log",  # the head of which is sealed
        "bindings",
        "clock",
        "collect",
        "collectors",
        "evidence",
        "findings",
        "findings_json",
        "framework_files",
        "history",
        "known_answers",
        "policy",
        "record",
        "remediation",  # what earlier runs changed, as the scan shows it
        "report",
        "retention",
        "rule_process",
        "rule_runner",
        "rules",
        "store",
        "waivers",
    },
    # Sealed evidence out, checked decisions into the policy input; texts are made safe as in reports.
    "reviews": {"config_keys", "evidence", "policy", "report", "store"},
    "schedule": set(),
    "sealing": {"secrets"},
    "secrets": set(),
    "store": {"policy", "sealing"},
    "trend": set(),
    "waivers": {"config_keys", "policy", "rules", "store"},  # described and checked as the policy inputs are
}
NOUNS = {"model", "model_rules", "model_history", "model_record"}
SETTINGS = {"config", "columns", "connections", "credentials", "settings"}
OPEN = NOUNS | SETTINGS | {"errors", "paths", "__version__"}
MAY_PRINT = {
    "__main__",  # is the command line
    "cli",
    "docs",  # a program of its own: the path of what it wrote
    "pdf_child",  # a process of its own: its results, through a pipe to the parent
    "pdf_reader",  # likewise
    "rule_child",  # likewise
}
PRINTING = {
    *("print", "echo", "secho", "click.echo", "click.secho", "sys.stdout", "sys.stderr", "stdout", "stderr"),
    *("sys.exit", "exit", "quit", "os._exit", "_exit", "SystemExit"),
}
NETWORK = ("httpx", "ldap", "socket", "ssl", "asyncio", "ftplib", "http.", "smtplib", "urllib.request", "urllib3")


def modules() -> list[tuple[str, Path, ast.Module]]:
    """Return (top-level name, file, syntax tree) of every module."""
    return [
        (path.relative_to(PACKAGE).with_suffix("").parts[0], path, ast.parse(path.read_text()))
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != PACKAGE / "__init__.py"
    ]


def imported(tree: ast.Module) -> set[str]:
    """Return every module that a syntax tree imports, with the names taken from it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute, so that they can be followed"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_imports_go_in_the_agreed_directions() -> None:
    """The table above is the whole truth, and holds no line that nobody needs."""
    used: dict[str, set[str]] = {}
    for name, _, tree in modules():
        ours = {module.split(".")[1] for module in imported(tree) if module.startswith("scanner.")}
        used.setdefault(name, set()).update(ours - OPEN - {name})
    del used["cli"]
    for name in OPEN & set(used):
        assert used.pop(name) == set(), name

    assert used == MAY_IMPORT


def test_model_and_errors_import_nothing_of_ours() -> None:
    """They are what everything else stands on."""
    for name in (*NOUNS, "errors"):
        tree = ast.parse((PACKAGE / f"{name}.py").read_text())
        ours = {module.rpartition(".")[0] for module in imported(tree) if module.startswith("scanner.")}
        assert ours <= {f"scanner.{noun}" for noun in NOUNS}


def test_the_network_is_touched_by_collectors_notices_timestamps_and_the_demo_only() -> None:
    """Whoever reviews what leaves the machine has few places to look."""
    for name, path, tree in modules():
        if name not in ("collectors", "notices", "demo") and path != PACKAGE / "evidence" / "timestamp.py":
            reached = [module for module in imported(tree) if module.startswith(NETWORK)]
            assert not reached, f"{path} imports {reached}"


def test_only_the_command_line_prints_and_exits() -> None:
    """Everything else returns or raises; what each exception writes is beside it."""
    for name, path, tree in modules():
        if name in MAY_PRINT:
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.Call, ast.Attribute, ast.Name)):
                said = ast.unparse(node.func if isinstance(node, ast.Call) else node)
                assert said not in PRINTING, f"{path}:{node.lineno} uses {said}"
