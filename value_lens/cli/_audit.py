"""Terminal command `audit`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ._terminal import app, count_from, quiet_libraries


@app.command("audit")
def audit_command(
    corpus: Annotated[
        str, typer.Argument(help="bank, bank:schwartz, a source's name, a file, or a folder that `generate` made.")
    ],
    out: Annotated[Path | None, typer.Option(help="Write the page to this file, too.")] = None,
    per_group: Annotated[
        Any,
        typer.Option(
            parser=count_from,
            metavar="N|all",
            help="Texts per value, aspect and language, and dilemmas per value and language (default: a part of the bank, all "
            "of another source).",
            show_default=False,
        ),
    ] = "default",
    system: Annotated[Path | None, typer.Option(help="A value system of your own, for the words that name its values.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with an error when a bar is missed.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Keep good rows; write bad ones to a file beside.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the bank and of the items shown.")] = 0,
) -> None:
    """Measure a corpus: duplicates, giveaways, balance, parallel languages; and show ten items per value to read."""
    from ..audit import audit_corpus
    from ..core import write_atomically
    from ..data import Selection, sample_corpus
    from ..report import audit_page
    from ..systems import SYSTEMS, load_system

    quiet_libraries()
    systems = [*SYSTEMS.values(), *([load_system(system)] if system else [])]
    samples = sample_corpus(corpus, Selection(per_group=per_group, seed=seed), skip_bad=skip_bad)
    texts, dilemmas = samples[0].records, samples[1].records
    audit = audit_corpus(texts, dilemmas, source=corpus, systems=systems)
    notes = [
        sample.words(what, corpus) for sample, what in zip(samples, ("texts", "dilemmas"), strict=True) if sample.n_available
    ]
    page = audit_page(audit, texts, dilemmas, seed=seed, notes=notes)
    if out is not None:
        write_atomically(out, page.encode())
    typer.echo(page)
    if strict and audit.failures():
        raise typer.Exit(1)
