"""What is said of models: in metadata, in configurations, in the index and in statistics."""

from collections.abc import Mapping

import pytest

from stepdown.adapters.observers.model_statistics import ModelStatisticsObserver
from stepdown.api.oip import model_configuration_pb2 as configuration
from stepdown.domain.assessments import TierAttempt
from stepdown.domain.notices import BatchFinished
from stepdown.domain.reasons import Reason
from stepdown.domain.status import TierStatus
from stepdown.domain.tiers import TierState
from stepdown.transport.oip.descriptions import configuration_of, index_entry, metadata_of, state_of
from stepdown.transport.oip.statistics import statistics_of
from tests.fakes.open_inference import DATATYPES, ECHO, REFUSED, WORDS
from tests.fakes.statuses import PATHWAY, TIERS, answer_given, tier_status
from tests.unit.transport.oip.asking import MODELS

ALL = {name: tier_status(name=name) for name in ("full", "distilled", "rules")}


def with_states(**states: TierState) -> Mapping[str, TierStatus]:
    return ALL | {
        name: tier_status(name=name, state=state, reason=Reason.WORKER_LOST, detail="signal 9")
        for name, state in states.items()
    }


def facts(name: str) -> dict[str, str]:
    return {key: each.string_value for key, each in configuration_of(MODELS[name]).parameters.items()}


def test_metadata_gives_shapes_with_the_rows() -> None:
    metadata = metadata_of(MODELS[PATHWAY])
    assert (metadata.name, list(metadata.versions), metadata.platform) == (PATHWAY, [], "stepdown_chain")
    assert [(each.name, each.datatype, list(each.shape)) for each in metadata.inputs] == [
        ("observations", "FP32", [-1, 48, 40])
    ]
    assert [(each.name, list(each.shape)) for each in metadata.outputs] == [
        ("probability", [-1, 1]),
        ("input_checks", [-1, 5]),
    ]


def test_metadata_of_a_tier_has_its_version_and_that_of_rules_no_tensors() -> None:
    assert list(metadata_of(MODELS[f"{PATHWAY}/full"]).versions) == ["1.0.0"]
    rules = metadata_of(MODELS[f"{PATHWAY}/rules"])
    assert (rules.platform, len(rules.inputs), len(rules.outputs)) == ("stepdown_rules", 0, 0)


def test_a_configuration_gives_dimensions_without_the_rows() -> None:
    config = configuration_of(MODELS[f"{PATHWAY}/full"])
    assert (config.platform, config.backend, config.max_batch_size) == ("onnxruntime_onnx", "onnxruntime", 64)
    assert [(each.name, each.data_type, list(each.dims)) for each in config.input] == [
        ("observations", configuration.TYPE_FP32, [48, 40])
    ]
    assert config.default_model_filename == "model.onnx"
    assert config.version_policy.latest.num_versions == 1
    assert not config.model_transaction_policy.decoupled


def test_a_configuration_says_how_requests_wait() -> None:
    batching = configuration_of(MODELS[PATHWAY]).dynamic_batching
    assert batching.max_queue_delay_microseconds == 0
    assert (batching.priority_levels, batching.default_priority_level) == (3, 3)
    assert batching.default_queue_policy.default_timeout_microseconds == 2_000_000
    assert batching.default_queue_policy.allow_timeout_override


def test_every_datatype_has_its_number_in_a_configuration() -> None:
    types = [each.data_type for each in configuration_of(MODELS[ECHO]).input]
    assert types == [configuration.DataType.Value(f"TYPE_{name}") for name in DATATYPES]


def test_a_chain_says_who_answers_and_that_its_rules_do_not() -> None:
    assert facts(PATHWAY)["tiers"] == "full,distilled,rules"
    assert facts(PATHWAY)["answered_by"] == "full,distilled"
    assert "UNAVAILABLE" in facts(PATHWAY)["rules"]
    assert "rules" not in facts(ECHO)
    assert "AssessRisk" in facts(f"{PATHWAY}/rules")["takes_no_tensors"]


def test_a_tier_says_which_signed_bundle_it_is() -> None:
    assert facts(f"{ECHO}/main") == {
        "pathway": ECHO,
        "bundle": "echo-model",
        "digest": "sha256:" + "12" * 32,
        "signer": "a-signer",
    }


def test_a_model_that_takes_no_tensors_has_no_batches_and_a_reason() -> None:
    config = configuration_of(MODELS[WORDS])
    assert (config.max_batch_size, len(config.input), config.HasField("dynamic_batching")) == (0, 0, False)
    assert "BYTES" in facts(WORDS)["takes_no_tensors"]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (TierState.SERVING, "READY"),
        (TierState.STARTING, "LOADING"),
        (TierState.PROBATION, "LOADING"),
        (TierState.SUSPENDED, "UNAVAILABLE"),
        (TierState.QUARANTINED, "UNAVAILABLE"),
        (TierState.DISABLED, "UNAVAILABLE"),
        (TierState.REFUSED, "UNAVAILABLE"),
    ],
)
def test_a_tier_is_ready_while_it_serves(state: TierState, shown: str) -> None:
    now = with_states(full=state)
    why = "" if state is TierState.SERVING else "WORKER_LOST: signal 9"
    assert state_of(MODELS[f"{PATHWAY}/full"], now) == (shown, why)


def test_a_chain_is_as_ready_as_its_readiest_model_tier() -> None:
    chain = MODELS[PATHWAY]
    assert state_of(chain, with_states(full=TierState.SUSPENDED))[0] == "READY"
    assert state_of(chain, with_states(full=TierState.SUSPENDED, distilled=TierState.STARTING))[0] == "LOADING"
    assert state_of(chain, with_states(full=TierState.REFUSED, distilled=TierState.SUSPENDED)) == (
        "UNAVAILABLE",
        "full: WORKER_LOST: signal 9; distilled: WORKER_LOST: signal 9",
    )


def test_a_chain_whose_rules_alone_serve_cannot_answer_tensors() -> None:
    assert ALL["rules"].state is TierState.SERVING
    down = with_states(full=TierState.SUSPENDED, distilled=TierState.SUSPENDED)
    assert state_of(MODELS[PATHWAY], down)[0] == "UNAVAILABLE"
    assert state_of(MODELS[f"{PATHWAY}/rules"], down) == ("READY", "")


def test_a_model_that_cannot_be_sent_to_is_not_ready_whatever_its_worker_does() -> None:
    now = {"main": tier_status(name="main")}
    for name in (WORDS, f"{WORDS}/main", REFUSED, f"{REFUSED}/main"):
        assert state_of(MODELS[name], now) == ("UNAVAILABLE", MODELS[name].obstacle)


def test_a_tier_that_the_chain_does_not_know_is_not_ready() -> None:
    assert state_of(MODELS[f"{PATHWAY}/full"], {}) == ("UNAVAILABLE", "not configured")
    assert state_of(MODELS[PATHWAY], {}) == ("UNAVAILABLE", "")


def test_the_index_says_state_and_reason() -> None:
    entry = index_entry(MODELS[f"{PATHWAY}/full"], with_states(full=TierState.SUSPENDED))
    assert (entry.name, entry.version, entry.state) == (f"{PATHWAY}/full", "1.0.0", "UNAVAILABLE")
    assert entry.reason == "WORKER_LOST: signal 9"


def test_statistics_are_those_that_the_observer_counted() -> None:
    observer = ModelStatisticsObserver(tiers=TIERS, wall_s=lambda: 1_700_000_000.25)
    attempt = TierAttempt(tier="full", outcome=None, elapsed_ms=2.0)
    observer.notice(answer_given(rows=4, attempts=(attempt,)))
    observer.notice(BatchFinished(pathway=PATHWAY, tier="full", requests=1, rows=4, compute_s=0.001, queue_s=0.0005))
    said = statistics_of(MODELS[f"{PATHWAY}/full"], observer.snapshot())
    assert (said.name, said.version, said.last_inference) == (f"{PATHWAY}/full", "1.0.0", 1_700_000_000_250)
    assert (said.inference_count, said.execution_count) == (4, 1)
    stats = said.inference_stats
    assert [(each.count, each.ns) for each in (stats.success, stats.fail, stats.queue, stats.compute_infer)] == [
        (1, 2_000_000),
        (0, 0),
        (1, 500_000),
        (1, 1_000_000),
    ]
    (batch,) = said.batch_stats
    assert (batch.batch_size, batch.compute_infer.count, batch.compute_infer.ns) == (4, 1, 1_000_000)


def test_statistics_before_the_first_answer_are_zero() -> None:
    said = statistics_of(MODELS[ECHO], {})
    assert (said.name, said.inference_count, said.last_inference) == (ECHO, 0, 0)
    observer = ModelStatisticsObserver(tiers=TIERS, wall_s=lambda: 0.0)
    assert statistics_of(MODELS[PATHWAY], observer.snapshot()).last_inference == 0
