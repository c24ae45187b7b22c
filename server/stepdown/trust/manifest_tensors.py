"""The `[[input]]` and `[[output]]` tables of a manifest: names, element types and shapes of a graph's tensors.

Refuses tensors that cannot lie in a shared-memory slot of fixed size: strings, and any open dimension but the batch.
Element types are the Open Inference Protocol's.
"""

from stepdown.domain.bundles import TensorSpec
from stepdown.trust.fields import Fields

DATATYPES = frozenset(
    ("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64")
)
MAXIMUM_TENSORS = 64
MAXIMUM_RANK = 8
MAXIMUM_ROW_ELEMENTS = 1 << 28
_MAXIMUM_NAME_CHARACTERS = 256


def read_tensors(fields: Fields, key: str) -> tuple[TensorSpec, ...]:
    """The tensors of `[[key]]`, in graph order; problems go to `fields`."""
    tables = fields.tables(key)
    if not 1 <= len(tables) <= MAXIMUM_TENSORS:
        fields.problem(key, f"must list 1 to {MAXIMUM_TENSORS} tensors, and lists {len(tables)}")
    tensors = tuple(_read_tensor(table, bounded=key == "output") for table in tables)
    if len({tensor.name for tensor in tensors}) != len(tensors):
        fields.problem(key, "names one tensor twice")
    return tensors


def shape_problem(shape: tuple[int, ...]) -> str | None:
    """What keeps rows of this shape from lying in a slot of fixed size, or None."""
    if not 1 <= len(shape) <= MAXIMUM_RANK:
        return f"must have 1 to {MAXIMUM_RANK} dimensions"
    if shape[0] != -1:
        return "must begin with -1, the batch"
    elements = 1
    for dimension in shape[1:]:
        if dimension < 1:
            return "may leave no dimension open but the first, the batch"
        elements *= dimension
        if elements > MAXIMUM_ROW_ELEMENTS:
            return f"holds more than {MAXIMUM_ROW_ELEMENTS} elements in one row"
    return None


def _read_tensor(fields: Fields, *, bounded: bool) -> TensorSpec:
    shape = fields.integers("shape")
    problem = shape_problem(shape)
    if problem is not None:
        fields.problem("shape", problem)
    tensor = TensorSpec(
        name=fields.text("name", accepts=_is_tensor_name, wanted="the tensor's name in the graph"),
        datatype=fields.text(
            "datatype", accepts=DATATYPES.__contains__, wanted="one of " + ", ".join(sorted(DATATYPES))
        ),
        shape=shape,
        labels=fields.texts("labels"),
        minimum=fields.optional_number("minimum") if bounded else None,
        maximum=fields.optional_number("maximum") if bounded else None,
    )
    _check_labels(fields, tensor)
    if tensor.minimum is not None and tensor.maximum is not None and tensor.minimum > tensor.maximum:
        fields.problem("minimum", "is greater than maximum")
    return tensor


def _check_labels(fields: Fields, tensor: TensorSpec) -> None:
    if tensor.labels and (len(tensor.shape) < 2 or len(tensor.labels) != tensor.shape[-1]):  # noqa: PLR2004
        fields.problem("labels", f"must name each of the last dimension's elements, and there are {len(tensor.labels)}")


def _is_tensor_name(text: str) -> bool:
    return 0 < len(text) <= _MAXIMUM_NAME_CHARACTERS and "\n" not in text and "\t" not in text
