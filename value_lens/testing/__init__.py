"""Contract suites for methods, interventions, measures, accumulators and artefacts, to inherit in one's own tests.

```python
from value_lens.testing import MethodContract

class TestMethods(MethodContract):  # every registered method, one's own too
    pass
```
"""

from ._accumulators import AccumulatorContract
from ._artefacts import ArtefactContract
from ._equal import equal
from ._interventions import InterventionContract
from ._measures import MeasureContract
from ._methods import MethodContract

__all__ = [
    "AccumulatorContract",
    "ArtefactContract",
    "InterventionContract",
    "MeasureContract",
    "MethodContract",
    "equal",
]
