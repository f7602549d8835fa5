"""What if `value-lens` is not on the path? `python -m value_lens.cli` is the same."""

from . import app

app()
