import pytest

from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.providers import (
    MODEL_PROVIDERS,
    batch_sizes,
    compiles_per_shape,
    ort_name,
    provider_options,
)


def test_every_provider_that_runs_a_model_has_a_name_and_the_rules_have_none() -> None:
    assert set(MODEL_PROVIDERS) == set(ExecutionProvider) - {ExecutionProvider.RULES}
    assert ort_name(ExecutionProvider.TENSORRT) == "TensorrtExecutionProvider"
    with pytest.raises(KeyError):
        ort_name(ExecutionProvider.RULES)


def test_accelerators_are_opened_on_one_device_with_exact_arithmetic() -> None:
    options = provider_options(ExecutionProvider.CUDA, device_id=2)
    assert (options["device_id"], options["use_tf32"]) == ("2", "0")
    assert provider_options(ExecutionProvider.MIGRAPHX, device_id=0)["migraphx_fp16_enable"] == "0"
    assert provider_options(ExecutionProvider.CPU, device_id=3) == {}


def test_providers_that_compile_per_shape_are_known() -> None:
    compiling = {provider for provider in MODEL_PROVIDERS if compiles_per_shape(provider)}
    assert compiling == {ExecutionProvider.TENSORRT, ExecutionProvider.MIGRAPHX}


@pytest.mark.parametrize(
    ("maximum", "sizes"), [(1, (1,)), (2, (1, 2)), (5, (1, 2, 4, 5)), (64, (1, 2, 4, 8, 16, 32, 64))]
)
def test_batch_sizes_double_up_to_the_largest(maximum: int, sizes: tuple[int, ...]) -> None:
    assert batch_sizes(maximum) == sizes
