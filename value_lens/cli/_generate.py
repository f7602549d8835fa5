"""Terminal command `generate`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ._terminal import app, console, names_from, options_from, progress_bars, quiet_libraries


@dataclass(frozen=True, kw_only=True)
class GenerateOptions:
    """The options of `generate`."""

    out: Annotated[Path, typer.Option(help="Folder for the corpus; a stopped run goes on there.")]
    recipe: Annotated[str, typer.Option(help="dilemma, pole, or question.")] = "dilemma"
    model: Annotated[str, typer.Option(help="The model's name at the endpoint.")] = ""
    base_url: Annotated[str | None, typer.Option(help="An OpenAI-compatible endpoint (default: the client's own).")] = None
    key_variable: Annotated[str, typer.Option(help="Environment variable that holds the key.")] = "OPENAI_API_KEY"
    local: Annotated[str | None, typer.Option(help="Instead of an endpoint: a local model, by hub name or folder.")] = None
    values: Annotated[str | None, typer.Option(help="Values, separated by commas (default: all of the system).")] = None
    languages: Annotated[str, typer.Option(help="Languages, separated by commas.")] = "en,zh"
    system: Annotated[str, typer.Option(help="chinese_social, schwartz, or a YAML or JSON file of your own.")] = (
        "chinese_social"
    )
    n_items: Annotated[int, typer.Option(help="Items of each value (and aspect) and language.")] = 20
    workers: Annotated[int, typer.Option(help="Conversations at one time.")] = 4
    per_minute: Annotated[float | None, typer.Option(help="Requests a minute (default: no limit).")] = None
    attempts: Annotated[int, typer.Option(help="Requests for one answer before it is given up.")] = 6
    temperature: Annotated[float, typer.Option(help="Sampling temperature.")] = 1.0
    template_argument: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE for the model's chat template, e.g. enable_thinking=true; repeatable.")
    ] = None
    prompt_price: Annotated[float, typer.Option(help="Price of a million prompt tokens.")] = 0.0
    reply_price: Annotated[float, typer.Option(help="Price of a million reply tokens.")] = 0.0

    def writer(self) -> Any:
        """The model that writes: a local one, or one behind an endpoint."""
        from ..endpoint import EndpointWriter
        from ..errors import DataError
        from ..model import load_model
        from ..write import local_writer

        if not self.model and self.local is None:
            raise DataError("give --model NAME (with --base-url for an endpoint of your own), or --local FOLDER")
        arguments = _template_arguments(self.template_argument or [])
        if self.local is not None:
            return local_writer(load_model(self.local), temperature=self.temperature, template_arguments=arguments)
        return EndpointWriter(
            self.model,
            base_url=self.base_url,
            key_variable=self.key_variable,
            temperature=self.temperature,
            template_arguments=arguments,
        )


@app.command()
@options_from(GenerateOptions)
def generate(options: GenerateOptions) -> None:
    """Write a corpus with a model of your own, after the papers' recipes; stop it and start it again as you like."""
    from ..systems import SYSTEMS, load_system
    from ..write import CorpusPlan, Prices, RequestPolicy
    from ..write import generate as write_corpus

    quiet_libraries()
    plan = CorpusPlan(
        n_items=options.n_items,
        values=names_from(options.values),
        languages=names_from(options.languages) or (),
        system=SYSTEMS[options.system] if options.system in SYSTEMS else load_system(options.system),
    )
    workers = 1 if options.local is not None else options.workers
    writer = options.writer()
    with progress_bars() as report:
        generated = write_corpus(
            options.recipe,
            writer,
            options.out,
            plan,
            policy=RequestPolicy(workers=workers, per_minute=options.per_minute, attempts=options.attempts),
            prices=Prices(options.prompt_price, options.reply_price),
            progress=lambda done, total: report("writing", done, total),
        )
    _print_result(generated, options.out)


def _print_result(generated: Any, out: Path) -> None:
    cost = generated.cost
    console.print(
        f"{len(generated.records)} records, {generated.n_duplicates} duplicates left out, {len(generated.failed)} items not written"
    )
    console.print(
        f"{cost.n_requests} requests, {cost.n_prompt_tokens:,} prompt and {cost.n_reply_tokens:,} reply tokens, "
        f"price {cost.price:.4f}"
    )
    for item, problem in list(generated.failed.items())[:10]:
        console.print(f"not written: {item}: {problem}", markup=False, highlight=False)
    for problem in generated.audit.failures() if generated.audit else ():
        console.print(f"audit: {problem}", markup=False, highlight=False)
    console.print(f"Files: {out.resolve()}", markup=False, highlight=False)


def _template_arguments(assignments: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE, the value read as JSON where it is such (true, 0), else as text."""
    from ..errors import DataError

    arguments: dict[str, Any] = {}
    for argument in assignments:
        name, equals, value = argument.partition("=")
        if not (name and equals):
            raise DataError(f"--template-argument takes NAME=VALUE, got {argument!r}")
        try:
            arguments[name] = json.loads(value)
        except ValueError:
            arguments[name] = value
    return arguments
