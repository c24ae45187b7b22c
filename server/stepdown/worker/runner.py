"""Batches through a session: sizes the provider has been shown, and nothing else.

A provider that compiles per shape would compile in the middle of a request when a batch of a new size came: for such a
one a batch is shown with rows to spare, up to the next warmed size, and the spare rows' outputs are dropped. Rows
never influence one another, which the known answers prove by running alone and together. Refuses to look at values.
"""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.mailbox import Layout
from stepdown.worker.providers import batch_sizes, compiles_per_shape
from stepdown.worker.session import ModelSession


class ModelRunner:
    """A session and the names of its tensors, in manifest order."""

    def __init__(self, session: ModelSession, plan: Layout, provider: ExecutionProvider) -> None:
        self.session = session
        self.sizes = batch_sizes(plan.maximum_rows)
        self._fixed_sizes = compiles_per_shape(provider)
        self._input_names = tuple(tensor.name for tensor in plan.inputs)
        self._output_names = [tensor.name for tensor in plan.outputs]

    @property
    def must_warm_every_size(self) -> bool:
        """Whether a size that was not run before would cost a request its deadline."""
        return self._fixed_sizes

    def shown_rows(self, rows: int) -> int:
        """How many rows the session is shown for a batch of `rows`."""
        return self.sizes[bisect_left(self.sizes, rows)] if self._fixed_sizes else rows

    def run(self, inputs: Sequence[np.ndarray], rows: int) -> list[np.ndarray]:
        """Outputs of the first `rows` rows of inputs that hold `shown_rows(rows)`. Raises what ONNX Runtime raises."""
        outputs = self.session.run(self._output_names, dict(zip(self._input_names, inputs, strict=True)))
        return [output[:rows] for output in outputs] if self._fixed_sizes else outputs
