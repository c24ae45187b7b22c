"""Talks to a running server with the public `tritonclient`, unmodified, and prints what it saw as one JSON object.

Run as a program of its own, by the Python of `.venv-peers`: the client brings generated code for the same protobuf
package `inference` as ours, and one process cannot hold both in its descriptor pool.

    triton_client_script.py HOST:PORT CA_PEM CLIENT_KEY_PEM CLIENT_CERTIFICATE_PEM
"""

import asyncio
import base64
import json
import sys
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeAlias

import numpy as np
import tritonclient.grpc as triton  # type: ignore[import-not-found]
import tritonclient.grpc.aio as triton_aio  # type: ignore[import-not-found]
from tritonclient.grpc import model_config_pb2, service_pb2
from tritonclient.utils import InferenceServerException  # type: ignore[import-not-found]

SEPSIS = "sepsis-early-warning"
ECHO = "echo"
NUMPY = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
}
PATIENCE_S = 20.0

Json: TypeAlias = dict[str, Any]
Untyped: TypeAlias = Any  # the client ships no types


def observations(*heart_rates: float) -> Untyped:
    """A grid in which only the last heart rate is known."""
    cells = np.full((len(heart_rates), 48, 40), np.nan, np.float32)
    cells[:, -1, 0] = heart_rates
    tensor = triton.InferInput("observations", cells.shape, "FP32")
    tensor.set_data_from_numpy(cells)
    return tensor


def told(result: Untyped) -> Json:
    """An answer as plain values."""
    response = result.get_response()
    return {
        "id": response.id,
        "model": response.model_name,
        "version": response.model_version,
        "outputs": {each.name: result.as_numpy(each.name).tolist() for each in response.outputs},
        "parameters": {name: each.string_param for name, each in response.parameters.items()},
    }


def refusal(call: Callable[[], object]) -> Json:
    """How a call fails."""
    try:
        call()
    except InferenceServerException as error:
        return {"status": error.status(), "message": error.message()}
    return {"status": "none"}


def health(client: Untyped) -> Json:
    """Liveness and readiness."""
    return {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "models": {name: client.is_model_ready(name) for name in (SEPSIS, f"{SEPSIS}/full", "refused", "elsewhere")},
    }


def descriptions(client: Untyped) -> Json:
    """Everything that describes, as the client renders it."""
    return {
        "server": client.get_server_metadata(as_json=True),
        "metadata": client.get_model_metadata(SEPSIS, as_json=True),
        "config": client.get_model_config(f"{SEPSIS}/distilled", as_json=True)["config"],
        "statistics": client.get_inference_statistics(SEPSIS, as_json=True)["model_stats"],
        "index": client.get_model_repository_index(as_json=True)["models"],
    }


def inference(client: Untyped) -> Json:
    """One call at a time."""
    wanted = [triton.InferRequestedOutput("input_checks"), triton.InferRequestedOutput("probability")]
    return {
        "chain": told(client.infer(SEPSIS, [observations(80.0, 100.0)], request_id="call-7")),
        "tier": told(client.infer(f"{SEPSIS}/distilled", [observations(60.0)], model_version="1.0.0")),
        "wanted": list(told(client.infer(SEPSIS, [observations(60.0)], outputs=wanted))["outputs"]),
        "in_time": told(client.infer(SEPSIS, [observations(60.0)], client_timeout=5.0, timeout=900_000, priority=1)),
        "at_least": told(client.infer(SEPSIS, [observations(60.0)], parameters={"minimum_tier": "distilled"})),
    }


def datatypes(client: Untyped) -> Json:
    """Every datatype there and back."""
    sent: dict[str, Untyped] = {}
    inputs = []
    for name, dtype in NUMPY.items():
        sent[name] = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
        inputs.append(triton.InferInput(f"in_{name}", [2, 3], name))
        inputs[-1].set_data_from_numpy(sent[name])
    result = client.infer(ECHO, inputs)
    returned = {name: result.as_numpy(f"out_{name}") for name in NUMPY}
    return {
        name: bool(array.dtype == sent[name].dtype and (array == sent[name]).all()) for name, array in returned.items()
    }


def refusals(client: Untyped) -> Json:
    """Everything that is not served."""
    wrong_shape = triton.InferInput("observations", [1, 40, 48], "FP32")
    wrong_shape.set_data_from_numpy(np.zeros((1, 40, 48), np.float32))
    calls: dict[str, Callable[[], object]] = {
        "elsewhere": partial(client.infer, "elsewhere", [observations(80.0)]),
        "version": partial(client.infer, SEPSIS, [observations(80.0)], model_version="9"),
        "rules": partial(client.infer, f"{SEPSIS}/rules", [observations(80.0)]),
        "shape": partial(client.infer, SEPSIS, [wrong_shape]),
        "sequence": partial(client.infer, SEPSIS, [observations(80.0)], sequence_id=7),
        "load": partial(client.load_model, SEPSIS),
        "unload": partial(client.unload_model, SEPSIS),
        "system_memory": partial(client.register_system_shared_memory, "region", "/key", 64),
        "cuda_memory": client.get_cuda_shared_memory_status,
        "trace": client.get_trace_settings,
        "log": client.get_log_settings,
    }
    return {name: refusal(call) for name, call in calls.items()}


def stream(client: Untyped) -> list[Json]:
    """Many calls on one stream, one of them wrong."""
    arrived: SimpleQueue[Json] = SimpleQueue()

    def take(result: Untyped, error: Untyped) -> None:
        arrived.put(told(result) if error is None else {"error": error.message()})

    client.start_stream(take)
    for number in range(8):
        model = SEPSIS if number != 3 else "elsewhere"
        client.async_stream_infer(model, [observations(10.0 * number)], request_id=str(number))
    responses = [arrived.get(timeout=PATIENCE_S) for _ in range(8)]
    client.stop_stream()
    return responses


async def asynchronous(address: str, credentials: Json) -> Json:
    """The same client on asyncio."""
    async with triton_aio.InferenceServerClient(address, ssl=True, **credentials) as client:
        result = await client.infer(SEPSIS, [observations(80.0)], request_id="on-asyncio")
        return {"live": await client.is_server_live(), "answer": told(result)}


def descriptors() -> Json:
    """The client's own wire definitions, to hold ours against."""
    files = {"service": service_pb2.DESCRIPTOR, "model_config": model_config_pb2.DESCRIPTOR}
    return {name: base64.b64encode(file.serialized_pb).decode() for name, file in files.items()}


def main(address: str, authority: str, key: str, certificate: str) -> None:
    """Ask everything, print it, end."""
    credentials = {"root_certificates": authority, "private_key": key, "certificate_chain": certificate}
    with triton.InferenceServerClient(address, ssl=True, **credentials) as client:
        seen = {
            "health": health(client),
            "descriptions": descriptions(client),
            "inference": inference(client),
            "datatypes": datatypes(client),
            "refusals": refusals(client),
            "stream": stream(client),
        }
    seen["asyncio"] = asyncio.run(asynchronous(address, credentials))
    seen["descriptors"] = descriptors()
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
