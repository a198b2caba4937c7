"""`verify`: checks evidence, reports and the chain of scans, offline."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.text import echo_json, printable, wrapped
from scanner.errors import ConfigError

if TYPE_CHECKING:
    from scanner.evidence.verify import Subject, Trust


@click.command(
    epilog=options.examples(
        "orphanscan verify",
        "orphanscan verify --head 4f1c20aa93be7d51 --number 214",
        "orphanscan verify copy/evidence --key evidence.pub --head 4f1c20aa93be7d51",
        "orphanscan verify sox.pdf --bundle copy/evidence",
    )
)
@options.config_options
@options.json_option
@click.argument("target", metavar="[BUNDLE|SCAN|PDF]", required=False)
@click.option("--head", metavar="HASH", default="", help="Manifest hash from a report or notice: 16 digits or more.")
@click.option("--number", type=click.IntRange(min=1), metavar="N", help="Its number in the chain of scans.")
@click.option("--key", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Trusted public key.")
@click.option(
    "--timestamp-ca",
    "ca_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Root certificates (PEM) of the timestamp authority.",
)
@click.option("--bundle", metavar="DIR", type=click.Path(path_type=Path), help="The evidence that a PDF speaks of.")
def command(
    config_path: Path,
    state: Path | None,
    as_json: bool,
    target: str | None,
    head: str,
    number: int | None,
    key: Path | None,
    ca_file: Path | None,
    bundle: Path | None,
) -> int:
    """Check evidence offline: hashes, chain, signatures, timestamps and reports.

    BUNDLE is an evidence folder or a scan's folder, wherever it was copied to; SCAN one stored scan; PDF a report.
    Without one, all scans of the state folder and their chain are checked. Says in plain words what is proven and
    what is not. Exit codes: 0 nothing is wrong, 1 something does not fit, 2 usage, 6 could not be read.
    """
    from scanner.cli import verifying

    trust = _trust(head, key, ca_file)
    path = Path(target) if target else None
    if path and path.is_dir():
        subjects = verifying.of_bundle(path, trust, number)
    elif path and (path.exists() or path.suffix.lower() == ".pdf"):
        subjects = verifying.of_pdf(path, trust, bundle, lambda: options.read_config(config_path, state))
    else:
        subjects = verifying.of_state(options.read_config(config_path, state), target, trust, number)
    return _tell(subjects, as_json)


def _trust(head: str, key: Path | None, ca_file: Path | None) -> "Trust":
    from scanner.evidence import signature, timestamp
    from scanner.evidence.verify import Trust

    if head and (len(head) < 16 or set(head.lower()) - set("0123456789abcdef")):
        raise click.UsageError("--head takes at least the first 16 digits of a hash, as reports print them")
    text = None
    if key is not None:
        try:
            text = signature.trusted_key(key.read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"{key}: the trusted key cannot be read") from None
    return Trust(text, timestamp.roots_in(ca_file), head.lower())


def _tell(subjects: "list[Subject]", as_json: bool) -> int:
    is_right = all(subject.is_right for subject in subjects)
    if as_json:
        echo_json({"right": is_right, "subjects": [_document(subject) for subject in subjects]})
        return 0 if is_right else 1
    for subject in subjects:
        click.echo(printable(subject.name))
        for statement in subject.statements:
            mark = "MISMATCH" if statement.grade == "mismatch" else str(statement.grade)
            first, *rest = wrapped(statement.sentence, 100)
            click.echo(f"  {mark:<11} {first}")
            for line in rest:
                click.echo(f"  {'':<11} {line}")
    click.echo()
    for line in wrapped(_ending(is_right), 112):
        click.echo(line)
    return 0 if is_right else 1


def _ending(is_right: bool) -> str:
    if not is_right:
        return "Something does not fit: see the lines marked MISMATCH. Compare with a copy that you trust."
    return (
        "Nothing is wrong. That evidence did not change does not show that a source told the truth; the hashes of pages"
        " that were not kept only bind whoever holds the pages; a key on the host that scans proves nothing against"
        " somebody who had that host. docs/evidence.md says more."
    )


def _document(subject: "Subject") -> dict[str, object]:
    found = subject.manifest
    return {
        "subject": subject.name,
        "right": subject.is_right,
        "manifest_sha256": found.sha256 if found else None,
        "number": found.number if found else None,
        "statements": [{"grade": str(one.grade), "sentence": one.sentence} for one in subject.statements],
    }
