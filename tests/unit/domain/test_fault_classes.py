import pytest

from stepdown.domain.fault_classes import LOST_CONTEXT, TREATMENTS, Comeback, FaultClass, treatment_of
from stepdown.domain.reasons import Reason

STATES = {Reason.STARTING, Reason.PROBATION, Reason.BREAKER_OPEN, Reason.DRIFT_SUSPENDED, Reason.OPERATOR_DISABLED}


def test_every_reason_is_a_fault_of_some_class_or_a_state() -> None:
    assert set(TREATMENTS) == set(Reason) - STATES
    assert {treatment.fault_class for treatment in TREATMENTS.values()} == set(FaultClass)


@pytest.mark.parametrize("reason", Reason)
def test_a_sticky_fault_ends_the_worker_whatever_the_reason(reason: Reason) -> None:
    assert treatment_of(reason, sticky=True).ends_worker


@pytest.mark.parametrize("reason", [Reason.INPUT_UNSUITABLE, Reason.DEADLINE_TOO_SHORT, Reason.QUEUE_FULL])
def test_what_a_caller_sent_or_how_many_they_are_ends_no_worker(reason: Reason) -> None:
    assert not treatment_of(reason).ends_worker
    assert treatment_of(reason).fault_class is not FaultClass.DEVICE


@pytest.mark.parametrize(
    "reason", [Reason.OUT_OF_MEMORY, Reason.WORKER_LOST, Reason.WORKER_HUNG, Reason.KNOWN_ANSWER_MISMATCH]
)
def test_a_process_that_is_lost_or_lies_is_ended(reason: Reason) -> None:
    assert treatment_of(reason).ends_worker
    assert treatment_of(reason).comeback is Comeback.BACK_OFF


@pytest.mark.parametrize("reason", [Reason.PROVIDER_UNAVAILABLE, Reason.PLACEMENT_TOO_LOW])
def test_a_device_that_is_not_there_is_looked_for_again(reason: Reason) -> None:
    assert treatment_of(reason).comeback is Comeback.LOOK_AGAIN


def test_a_bundle_that_is_not_trusted_never_comes_back() -> None:
    assert treatment_of(Reason.SIGNATURE_INVALID).comeback is Comeback.NEVER


def test_a_run_that_failed_is_the_models_fault_unless_the_device_is_lost() -> None:
    assert treatment_of(Reason.EXECUTION_FAILED).fault_class is FaultClass.MODEL
    assert treatment_of(Reason.EXECUTION_FAILED, sticky=True) is LOST_CONTEXT


def test_a_state_that_is_given_as_a_fault_is_a_fault_of_ours() -> None:
    assert {treatment_of(state).fault_class for state in STATES} == {FaultClass.INTERNAL}
