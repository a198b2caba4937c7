"""`init`: a commented configuration and sample files on which `scan` runs at once."""

import os
import tempfile
from pathlib import Path

import click

from scanner.cli import options
from scanner.errors import ConfigError
from scanner.paths import bundled


@click.command(epilog=options.examples("orphanscan init", "orphanscan init /srv/orphanscan"))
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--force", is_flag=True, help="Overwrite files of the same names.")
def command(folder: Path, force: bool) -> None:
    """Write orphanscan.toml and the sample files that it names into DIR.

    The sample is a company of twelve invented people and one application. `scan` runs on it at once; replace it with
    your own files, one after the other.
    """
    starter = bundled("sample_data") / "starter"
    files = {folder / path.relative_to(starter): path for path in sorted(starter.rglob("*")) if path.is_file()}
    taken = [str(target) for target in files if target.exists() or target.is_symlink()]
    if taken and not force:
        raise ConfigError(
            f"nothing was written: {', '.join(taken)} exist{'s' if len(taken) == 1 else ''} already; "
            "choose another folder, or overwrite with --force"
        )
    for target, source in files.items():
        _write(target, source.read_bytes(), force=force)
        click.echo(str(target))
    where = "" if folder == Path() else f" -c {folder / 'orphanscan.toml'}"
    click.echo(f"next: `orphanscan scan{where}`, then put your own files and addresses into the .toml", err=True)


def _write(target: Path, content: bytes, *, force: bool) -> None:
    """Write a file that did not exist, or with `force` replace it in one step.

    Its mode does not depend on the umask: files that others may write are refused by a scan, and lists of people are
    for their owner alone.
    """
    mode = 0o644 if target.suffix == ".toml" else 0o600
    try:
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not force:
            with target.open("xb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(content)
        Path(name).replace(target)
    except OSError as error:
        raise ConfigError(f"cannot write {target}: {(error.strerror or str(error)).lower()}") from error
