"""Terminal command `sources`."""

from ._terminal import app, console


@app.command()
def sources() -> None:
    """The packaged bank and the published data sets that can be loaded by name, with their licences."""
    from ..data import BANKS, LAYOUTS, POLES

    for name, system in BANKS.items():
        title = f"the packaged bank for {system.name}, English and Chinese"
        _print_source(name, title, "LabelledText, Dilemma", "MIT", "packaged")
    _print_source(POLES, "packaged pole descriptions and questions", "LabelledText, SituationalQuestion", "MIT", "packaged")
    for layout in LAYOUTS.values():
        kinds = ", ".join(kind.__name__ for kind in layout.converters)
        location = f"{layout.hub} on the hub; {layout.url}" if layout.hub else layout.url
        _print_source(layout.name, layout.title, kinds, layout.licence, location)
    console.print("Files you have: NAME:PATH, for example moralchoice:scenarios.csv", style="dim", highlight=False)


def _print_source(name: str, title: str, kinds: str, licence: str, location: str) -> None:
    console.print(f"[bold]{name}[/bold]  {title}", highlight=False)
    console.print(f"    holds {kinds}; licence: {licence}; {location}", style="dim", highlight=False, soft_wrap=True)
