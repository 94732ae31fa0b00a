"""``tomking backup ...``: the commands and their options.  Bodies import what they need."""

from pathlib import Path
from typing import Annotated

import typer

HELP = {"help_option_names": ["-h", "--help"]}

backup_app = typer.Typer(context_settings=HELP, invoke_without_command=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]
JournalPath = Annotated[
    Path | None,
    typer.Option("--journal", metavar="PATH", show_default="the one that is traded on", help="The journal."),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="PATH",
        show_default="$TOMKING_BACKUP_PASSPHRASE, its _FILE, the keyring",
        help="A file with the passphrase, readable by you only.",
    ),
]
BackupPath = Annotated[
    Path, typer.Argument(metavar="BACKUP", help="A file that tomking backup create made.", show_default=False)
]


@backup_app.callback()
def backup(context: typer.Context) -> None:
    """Make, check and restore encrypted backups of the journal.

    \b
    Examples:
      keyring set tomking backup-passphrase
      tomking backup create
      tomking backup verify journal-000012345-019352cf.age
      tomking backup restore journal-000012345-019352cf.age

    The passphrase comes from --passphrase-file, $TOMKING_BACKUP_PASSPHRASE, the file that
    $TOMKING_BACKUP_PASSPHRASE_FILE names, or the keyring; never from the command line.  Without it
    no backup can be restored: keep it somewhere else, too.
    """  # noqa: D301 - \b is the parser's mark for lines that stay as they are
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@backup_app.command()
def create(
    *,
    journal: JournalPath = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="FOLDER", show_default="backups, beside the journal", help="Where it goes."
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Copy the journal as it is now, check the copy to its last event, and encrypt it.

    \b
    Examples:
      tomking backup create
      tomking backup create --to usb/tomking
      tomking backup create --journal runs/2008/journal.sqlite --passphrase-file secret

    The engine may run meanwhile.  What was written is read back and decrypted before it counts.
    """  # noqa: D301
    from tomking.app.cli.backup import run_create

    run_create(journal, folder, passphrase_file, as_json=as_json)


@backup_app.command()
def verify(*, backup: BackupPath, passphrase_file: PassphraseFile = None, as_json: AsJson = False) -> None:
    """Decrypt a backup and read it to its last event: pages, chain, and the book it adds up to.

    \b
    Examples:
      tomking backup verify journal-000012345-019352cf.age
      tomking backup verify journal-000012345-019352cf.age --json
    """  # noqa: D301
    from tomking.app.cli.backup import run_verify

    run_verify(backup, passphrase_file, as_json=as_json)


@backup_app.command()
def restore(
    *,
    backup: BackupPath,
    journal: JournalPath = None,
    discard_newer: Annotated[
        bool,
        typer.Option(
            "--discard-newer",
            help="Put it in the place of a journal that has events which the backup has not.",
        ),
    ] = False,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the journal's place, and halt until book and broker were compared.

    \b
    Examples:
      tomking backup restore journal-000012345-019352cf.age
      tomking backup restore journal-000012345-019352cf.age --journal look/journal.sqlite
      tomking backup restore journal-000012345-019352cf.age --discard-newer

    Stop the engine first.  What was there is kept under another name.  A restore that is interrupted
    leaves the old journal or the new one, and neither is traded on before a restore has finished.
    """  # noqa: D301
    from tomking.app.cli.backup import run_restore

    run_restore(backup, journal, passphrase_file, discard_newer=discard_newer, as_json=as_json)


@backup_app.command()
def upgrade(*, journal: JournalPath = None, as_json: AsJson = False) -> None:
    """Bring a journal of an older format to the present one; the old one stays beside it.

    \b
    Examples:
      tomking backup upgrade
      tomking backup upgrade --journal runs/2008/journal.sqlite

    Every event, the chain of hashes and the book must come out the same, or nothing is changed.
    """  # noqa: D301
    from tomking.app.cli.backup import run_upgrade

    run_upgrade(journal, as_json=as_json)
