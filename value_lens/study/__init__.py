"""The main job: its configuration, run and output files."""

from ._config import Study, study_options
from ._file import load_study, options_in, save_study, study_yaml
from ._options import Count, Names, Option
from ._parts import (
    COMPOSED,
    BatchingPart,
    DilemmasPart,
    ExperimentPart,
    LocatePart,
    ModelPart,
    SelectionPart,
    TextsPart,
)
from ._result import StudyResult
from ._run import require_output, run_study
from ._use import load_used

__all__ = [
    "BatchingPart",
    "COMPOSED",
    "Count",
    "DilemmasPart",
    "ExperimentPart",
    "LocatePart",
    "ModelPart",
    "Names",
    "Option",
    "SelectionPart",
    "Study",
    "StudyResult",
    "TextsPart",
    "load_study",
    "load_used",
    "options_in",
    "require_output",
    "run_study",
    "save_study",
    "study_options",
    "study_yaml",
]
