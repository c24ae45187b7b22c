"""Callers of every kind at once: single questions, batches, streams, tensors; impatient, wrong and restless ones."""

import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Self, cast

import grpc

from stepdown.api.oip.open_inference_pb2_grpc import GRPCInferenceServiceStub
from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.client import Assessment, AssessmentClient, AssessmentError, AssessRiskRequest
from stepdown.client.connection import Credentials
from tests.soak import questions
from tests.soak.tally import Tally

# Ample, so that what is lost was lost and not late on a machine that does other work.
_AMPLE_S = 10.0
_BATCH = 12
_STREAM = 20
_ENDING_S = 20.0
# What the tensor protocol may say while no model serves: there are no rules for tensors.
_NO_MODEL = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED})


class Callers:
    """Threads that ask until they are told to stop. Seeded: who asks what is the same in every run, when is not."""

    def __init__(self, address: str, credentials: Credentials, tally: Tally, *, seed: int, pause_s: float) -> None:
        """`pause_s`: between two calls of one caller, on average."""
        self._address = address
        self._credentials = credentials
        self._tally = tally
        self._pause_s = pause_s
        self._client = AssessmentClient(address, credentials)
        self._channel = credentials.channel(address)
        self._numbers = count()
        self._stopped = threading.Event()
        kinds = (*(self._single,) * 3, self._batch, self._stream, self._tensor, self._impatient, self._wrong)
        self._threads = [
            threading.Thread(target=self._run, args=(kind, random.Random(seed * 100 + number)), daemon=True)
            for number, kind in enumerate((*kinds, self._restless))
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(_ENDING_S)
            if thread.is_alive():
                self._tally.problem("lost", f"{thread.name} is still waiting for its answer")
        self._client.close()
        self._channel.close()

    def _run(self, kind: Callable[[random.Random], None], chance: random.Random) -> None:
        while not self._stopped.wait(chance.uniform(0.5, 1.5) * self._pause_s):
            try:
                kind(chance)
            except Exception as error:  # noqa: BLE001 - whatever a caller meets is a finding and not the end of him
                self._tally.problem("caller failed", f"{kind.__name__}: {type(error).__name__} {error}")

    # --- who must be answered --------------------------------------------------------------------------------------

    def _single(self, _chance: random.Random) -> None:
        asked_s = time.monotonic()
        question, request = questions.good(next(self._numbers))
        try:
            self._tally.answered(question, request.request_id, self._client.assess(request, timeout_s=_AMPLE_S))
        except AssessmentError as error:
            self._tally.lost("single", error, asked_s=asked_s)

    def _batch(self, chance: random.Random) -> None:
        asked_s = time.monotonic()
        asked = [questions.good(next(self._numbers)) for _ in range(chance.randint(1, _BATCH))]
        while asked and (left_s := asked_s + _AMPLE_S - time.monotonic()) > 0:
            try:
                results = self._client.assess_batch((request for _, request in asked), timeout_s=left_s)
            except AssessmentError as error:
                self._tally.lost("batch", error, asked_s=asked_s)
                return
            asked = self._to_ask_again(asked, results, asked_s=asked_s)
        if asked:
            self._tally.problem("lost", f"{len(asked)} items of a batch were told to come back until it was too late")

    def _to_ask_again(
        self,
        asked: Sequence[tuple[int, AssessRiskRequest]],
        results: Sequence[Assessment | AssessmentError],
        *,
        asked_s: float,
    ) -> list[tuple[int, AssessRiskRequest]]:
        """Take note of each item of a batch; those that a crowded server sent back come again after its pause."""
        again, pause_s = [], 0.0
        for (question, request), result in zip(asked, results, strict=True):
            if not isinstance(result, AssessmentError):
                self._tally.answered(question, request.request_id, result)
            elif result.retry_after_s is not None:
                again.append((question, request))
                pause_s = max(pause_s, result.retry_after_s)
            else:
                self._tally.lost("item of a batch", result, asked_s=asked_s)
        time.sleep(pause_s)
        return again

    def _stream(self, _chance: random.Random) -> None:
        asked_s = time.monotonic()
        asked = [questions.good(next(self._numbers)) for _ in range(_STREAM)]
        while asked and time.monotonic() < asked_s + _AMPLE_S:
            results: dict[str, Assessment | AssessmentError] = {}
            try:
                results |= self._client.assess_stream(request for _, request in asked)
            except AssessmentError as error:
                self._tally.lost("stream", error, asked_s=asked_s)
                return
            answered = [each for each in asked if each[1].request_id in results]
            if len(answered) < len(asked):
                self._tally.problem("lost", f"{len(asked) - len(answered)} items of a stream")
            told = [results[request.request_id] for _, request in answered]
            asked = self._to_ask_again(answered, told, asked_s=asked_s)
        if asked:
            self._tally.problem("lost", f"{len(asked)} items of a stream were told to come back until it was too late")

    def _tensor(self, chance: random.Random) -> None:
        """A tensor is answered by a model or by nobody: that no model serves is no loss."""
        number = next(self._numbers)
        torn = chance.random() < 0.2
        request = questions.torn_tensor(number) if torn else questions.tensor(number)
        asked_s = time.monotonic()
        try:
            answer = GRPCInferenceServiceStub(self._channel).ModelInfer(request, timeout=_AMPLE_S)
        except grpc.RpcError as error:
            refused = AssessmentError.of_call(error)
            if torn:
                self._tally.refused("torn tensor", refused)
            elif cast("grpc.Call", error).code() in _NO_MODEL:
                self._tally.count("tensors no model served")
            elif refused.reason == "INPUT_UNSUITABLE":
                self._tally.count("tensors unsuitable")
            else:
                self._tally.lost("tensor", refused, asked_s=asked_s)
            return
        if torn or answer.id != str(number):
            self._tally.problem("mislabelled", f"tensor {answer.id!r} for {number}, torn: {torn}")
        self._tally.count("tensors answered")

    # --- who goes away, is wrong, or comes and goes -----------------------------------------------------------------

    def _impatient(self, chance: random.Random) -> None:
        """Leave a call, a batch or a stream at some moment, or give it hardly any time."""
        stub = AssessmentServiceStub(self._channel)
        _, request = questions.good(next(self._numbers))
        hardly_s = chance.uniform(0.001, 0.06)
        call: grpc.Future[Any]
        match chance.randrange(3):
            case 0:
                call = stub.AssessRisk.future(request, timeout=_AMPLE_S)
            case 1:
                message = wire.BatchAssessRiskRequest(requests=[questions.good(number)[1] for number in range(40)])
                call = stub.BatchAssessRisk.future(message, timeout=_AMPLE_S)
            case _:
                with suppress(grpc.RpcError):
                    stub.AssessRisk(request, timeout=hardly_s)
                self._tally.count("hurried")
                return
        time.sleep(hardly_s)
        call.cancel()
        self._tally.count("cancelled")

    def _wrong(self, _chance: random.Random) -> None:
        kind, request = questions.bad(next(self._numbers))
        try:
            self._client.assess(request, timeout_s=_AMPLE_S)
        except AssessmentError as error:
            self._tally.refused(kind, error)
        else:
            self._tally.problem("blamed on the server", f"{kind}: answered")

    def _restless(self, chance: random.Random) -> None:
        """A connection of its own for one call, an abandoned stream, or noise where a handshake should be."""
        host, _, port = self._address.rpartition(":")
        if chance.random() < 0.3:
            with socket.create_connection((host, int(port)), timeout=5) as noise:
                noise.sendall(chance.randbytes(64))
            self._tally.count("noise")
            return
        with self._credentials.channel(self._address) as channel:
            _, request = questions.good(next(self._numbers))
            stream = AssessmentServiceStub(channel).StreamAssessRisk(
                iter([wire.StreamAssessRiskRequest(request=request)]), timeout=_AMPLE_S
            )
            next(iter(stream), None)
            stream.cancel()
        self._tally.count("came and went")
