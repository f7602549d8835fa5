"""`python -m value_lens` is `value-lens`."""

from .cli import app

app()
