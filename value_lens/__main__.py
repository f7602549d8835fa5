"""The terminal's entry: `value-lens`, and `python -m value_lens`.

Heavy libraries are imported inside, so that an interrupt while they load ends as any other interrupt does.
"""

import sys

INTERRUPTED = 130  # the exit code of a command that was interrupted


def main() -> None:
    """Run the command that stands on the command line."""
    try:
        from .cli import app

        app()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
