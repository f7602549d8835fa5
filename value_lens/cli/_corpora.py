"""Terminal commands about corpora: values, sources, audit, generate."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from .._version import __version__
from ..data import COMPOSED, DEFAULT
from ._terminal import app, console, counted, names, quiet_libraries, reporting


@app.command()
def values(
    system: Annotated[Path | None, typer.Option(help="A value system of your own, YAML or JSON, to check and show.")] = None,
) -> None:
    """The value systems: names and definitions."""
    from ..systems import SYSTEMS, load_system

    with reporting():
        chosen = list(SYSTEMS.values()) if system is None else [load_system(system)]
    for shown in chosen:
        table = Table(title=escape(shown.name), title_justify="left")
        for heading in ("value", "labels", "definition"):
            table.add_column(heading)
        for value in shown:
            table.add_row(*map(escape, (value.name, ", ".join(value.labels.values()), value.definition)))
        console.print(table)


@app.command()
def sources() -> None:
    """The packaged bank and the published data sets that can be loaded by name, with their licences."""
    from ..data import BANKS, LAYOUTS, POLES

    def tell(name: str, what: str, holds: str, licence: str, where: str) -> None:
        console.print(f"[bold]{name}[/bold]  {what}", highlight=False)
        console.print(f"    holds {holds}; licence: {licence}; {where}", style="dim", highlight=False, soft_wrap=True)

    for name, system in BANKS.items():
        tell(name, f"the packaged bank for {system.name}, English and Chinese", "LabelledText, Dilemma", "MIT", "packaged")
    tell(POLES, "packaged pole descriptions and questions", "LabelledText, SituationalQuestion", "MIT", "packaged")
    for layout in LAYOUTS.values():
        holds = ", ".join(kind.__name__ for kind in layout.converters)
        tell(
            layout.name,
            layout.title,
            holds,
            layout.licence,
            f"{layout.hub} on the hub; {layout.url}" if layout.hub else layout.url,
        )
    console.print("Files you have: NAME:PATH, for example moralchoice:scenarios.csv", style="dim", highlight=False)


@app.command("audit")
def audit_command(
    corpus: Annotated[
        str, typer.Argument(help="bank, bank:schwartz, a source's name, a file, or a folder that `generate` made.")
    ],
    out: Annotated[Path | None, typer.Option(help="Write the page to this file, too.")] = None,
    per_group: Annotated[
        Any,
        counted("Texts per value, aspect and language, and dilemmas per value and language.", COMPOSED),
    ] = DEFAULT,
    system: Annotated[Path | None, typer.Option(help="A value system of your own, for the words that name its values.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with an error when a bar is missed.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Keep good rows; write bad ones to a file beside.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the bank and of the items shown.")] = 0,
) -> None:
    """Measure a corpus: duplicates, giveaways, balance, parallel languages; and show ten items per value to read."""
    with reporting():
        from ..audit import audit_corpus
        from ..core import write_atomically
        from ..data import Selection, sample_corpus
        from ..report import audit_page
        from ..systems import SYSTEMS, load_system

        quiet_libraries()
        systems = [*SYSTEMS.values(), *([load_system(system)] if system else [])]
        samples = sample_corpus(corpus, Selection(per_group=per_group, seed=seed), skip_bad=skip_bad)
        texts, dilemmas = samples[0].records, samples[1].records
        found = audit_corpus(texts, dilemmas, source=corpus, systems=systems)
        said = [s.words(what, corpus) for s, what in zip(samples, ("texts", "dilemmas"), strict=True) if s.n_available]
        page = audit_page(found, texts, dilemmas, seed=seed, notes=said)
        if out is not None:
            write_atomically(out, page.encode())
    typer.echo(page)
    if strict and found.failures():
        raise typer.Exit(1)


@app.command()
def generate(
    out: Annotated[Path, typer.Option(help="Folder for the corpus; a stopped run goes on there.")],
    recipe: Annotated[str, typer.Option(help="dilemma, pole, or question.")] = "dilemma",
    model: Annotated[str, typer.Option(help="The model's name at the endpoint.")] = "",
    base_url: Annotated[str | None, typer.Option(help="An OpenAI-compatible endpoint (default: the client's own).")] = None,
    key_variable: Annotated[str, typer.Option(help="Environment variable that holds the key.")] = "OPENAI_API_KEY",
    local: Annotated[str | None, typer.Option(help="Instead of an endpoint: a local model, by hub name or folder.")] = None,
    values: Annotated[str | None, typer.Option(help="Values, separated by commas (default: all of the system).")] = None,
    languages: Annotated[str, typer.Option(help="Languages, separated by commas.")] = "en,zh",
    system: Annotated[
        str, typer.Option(help="chinese_social, schwartz, or a YAML or JSON file of your own.")
    ] = "chinese_social",
    n_items: Annotated[int, typer.Option(help="Items of each value (and aspect) and language.")] = 20,
    workers: Annotated[int, typer.Option(help="Conversations at one time.")] = 4,
    per_minute: Annotated[float | None, typer.Option(help="Requests a minute (default: no limit).")] = None,
    attempts: Annotated[int, typer.Option(help="Requests for one answer before it is given up.")] = 6,
    temperature: Annotated[float, typer.Option(help="Sampling temperature.")] = 1.0,
    template_argument: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE for the model's chat template, e.g. enable_thinking=true; repeatable.")
    ] = None,
    prompt_price: Annotated[float, typer.Option(help="Price of a million prompt tokens.")] = 0.0,
    reply_price: Annotated[float, typer.Option(help="Price of a million reply tokens.")] = 0.0,
) -> None:
    """Write a corpus with a model of your own, after the papers' recipes; stop it and start it again as you like."""
    with reporting() as report:
        from ..endpoint import EndpointWriter
        from ..errors import DataError
        from ..systems import SYSTEMS, load_system
        from ..write import Pace
        from ..write import generate as run

        quiet_libraries()
        chosen = SYSTEMS[system] if system in SYSTEMS else load_system(system)
        if not model and local is None:
            raise DataError("give --model NAME (with --base-url for an endpoint of your own), or --local FOLDER")
        options: dict[str, Any] = {
            "temperature": temperature,
            "template_arguments": _template_arguments(template_argument or []),
        }
        writer: Any = _local(local, options) if local is not None else None
        if writer is None:
            writer = EndpointWriter(model, base_url=base_url, key_variable=key_variable, **options)
        made = run(
            recipe,
            writer,
            out,
            n_items=n_items,
            values=names(values),
            languages=names(languages) or (),
            system=chosen,
            pace=Pace(workers=1 if local is not None else workers, per_minute=per_minute, attempts=attempts),
            prices=(prompt_price, reply_price),
            progress=lambda done, total: report("writing", done, total),
        )
    cost = made.cost
    console.print(f"{len(made.records)} records, {made.n_duplicates} duplicates left out, {len(made.failed)} items not written")
    console.print(
        f"{cost.n_requests} requests, {cost.n_prompt_tokens:,} prompt and {cost.n_reply_tokens:,} reply tokens, "
        f"price {cost.price:.4f}"
    )
    for item, problem in list(made.failed.items())[:10]:
        console.print(f"not written: {item}: {problem}", markup=False, highlight=False)
    for problem in made.audit.failures() if made.audit else ():
        console.print(f"audit: {problem}", markup=False, highlight=False)
    console.print(f"Files: {out.resolve()}", markup=False, highlight=False)


def _local(name: str, options: dict[str, Any]) -> Any:
    from ..model import load_model
    from ..write import local_writer

    return local_writer(load_model(name), **options)


def _template_arguments(given: list[str]) -> dict[str, Any]:
    """NAME=VALUE, the value read as JSON where it is such (true, 0), else as text."""
    from ..errors import DataError

    arguments: dict[str, Any] = {}
    for argument in given:
        name, equals, value = argument.partition("=")
        if not (name and equals):
            raise DataError(f"--template-argument takes NAME=VALUE, got {argument!r}")
        try:
            arguments[name] = json.loads(value)
        except ValueError:
            arguments[name] = value
    return arguments


@app.command()
def version() -> None:
    """The versions of value_lens and transformer-lens."""
    from ..model import transformer_lens_version

    console.print(f"value_lens {__version__}, transformer-lens {transformer_lens_version()}, Python {sys.version.split()[0]}")
