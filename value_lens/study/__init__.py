"""The main job: its configuration, run and output files."""

from ._config import COMPOSED, Job
from ._run import run_job

__all__ = ["COMPOSED", "Job", "run_job"]
