"""`init`: a commented configuration and sample files on which `scan` runs at once."""

from pathlib import Path

import click

from scanner.cli import options
from scanner.errors import ConfigError
from scanner.paths import bundled


@click.command(epilog=options.examples("orphanscan init", "orphanscan init /srv/orphanscan"))
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--force", is_flag=True, help="Overwrite files of the same names.")
def command(folder: Path, force: bool) -> None:
    """Write orphanscan.toml and the sample files that it names into DIR."""
    starter = bundled("sample_data") / "starter"
    files = sorted(path for path in starter.rglob("*") if path.is_file())
    taken = [str(folder / path.relative_to(starter)) for path in files if (folder / path.relative_to(starter)).exists()]
    if taken and not force:
        raise ConfigError(f"{', '.join(taken)} exists already; choose another folder, or overwrite with --force")
    for path in files:
        target = folder / path.relative_to(starter)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
            # Files that others may write are refused by `scan`, whatever the umask here.
            target.chmod(0o644)
        except OSError as exc:
            raise ConfigError(f"cannot write {target}: {exc.strerror}") from exc
        click.echo(str(target))
    where = "" if folder == Path() else f" -c {folder / 'orphanscan.toml'}"
    click.echo(f"next: read {folder / 'orphanscan.toml'}, then run `orphanscan scan{where}`", err=True)
