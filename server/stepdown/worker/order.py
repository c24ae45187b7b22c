"""What the pool tells a worker to load, and where: plain values, written as JSON at the head of the parcel.

Both sides must be of one release, and the worker looks at that first: a server that was left running while its files
were replaced starts workers of another. It reads the rest strictly all the same. Holds no secret and no patient's data.
Refuses to be a second manifest: it repeats only what a child needs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import stepdown
from stepdown.domain.bundles import ModelSpec, TensorSpec
from stepdown.domain.drills import InjectableFault
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.datatypes import tensor_format
from stepdown.worker.mailbox import Layout, layout

_RELEASE_CHARACTERS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerResources:
    """What one worker may use. `threads` 0: as many as affinity and quota allow. `cores` empty: those of the server.

    `niceness` is added to the server's own; `device_id` counts from 0 in the driver's order; `memory_bytes` is the most
    data it may hold, 0 without a limit, and is set by the server from outside: a worker is not told.
    """

    threads: int = 0
    cores: tuple[int, ...] = ()
    niceness: int = 0
    device_id: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillTerms:
    """Whether a worker may be made to fail on purpose, and the device fault that it is to find while it loads."""

    permitted: bool = False
    load_fault: InjectableFault | None = None


NO_DRILLS = DrillTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOrder:
    """One model, how long warming up may take, and the providers that may be used.

    Of these a process tries one: the first that its build of ONNX Runtime holds. For the next there is another process.
    """

    providers: tuple[ExecutionProvider, ...]
    model_file: str
    external_data: tuple[str, ...]
    maximum_batch: int
    minimum_placement_share: float
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    resources: WorkerResources
    warm_up_s: float
    drills: DrillTerms = NO_DRILLS
    stays_out_of_swap: bool = False

    def layout(self) -> Layout:
        """The mailbox both sides use. Raises: WorkerError when a tensor has no fixed row size."""
        return layout(
            tuple(map(tensor_format, self.inputs)),
            tuple(map(tensor_format, self.outputs)),
            maximum_rows=self.maximum_batch,
        )


def load_order(
    model: ModelSpec,
    *,
    providers: tuple[ExecutionProvider, ...],
    resources: WorkerResources,
    warm_up_s: float,
    drills: DrillTerms = NO_DRILLS,
    stays_out_of_swap: bool = False,
) -> LoadOrder:
    """The order for one attempt at a verified manifest's model."""
    return LoadOrder(
        providers=providers,
        model_file=model.file,
        external_data=model.external_data,
        maximum_batch=model.maximum_batch,
        minimum_placement_share=model.minimum_placement_share,
        inputs=model.inputs,
        outputs=model.outputs,
        resources=resources,
        warm_up_s=warm_up_s,
        drills=drills,
        stays_out_of_swap=stays_out_of_swap,
    )


def order_to_json(order: LoadOrder) -> bytes:
    """The order as it travels."""
    return json.dumps(
        {
            "release": stepdown.__version__,
            "providers": order.providers,
            "model_file": order.model_file,
            "external_data": order.external_data,
            "maximum_batch": order.maximum_batch,
            "minimum_placement_share": order.minimum_placement_share,
            "inputs": [_tensor_to_json(spec) for spec in order.inputs],
            "outputs": [_tensor_to_json(spec) for spec in order.outputs],
            "threads": order.resources.threads,
            "cores": order.resources.cores,
            "niceness": order.resources.niceness,
            "device_id": order.resources.device_id,
            "warm_up_s": order.warm_up_s,
            "drills_permitted": order.drills.permitted,
            "load_fault": order.drills.load_fault,
            "stays_out_of_swap": order.stays_out_of_swap,
        }
    ).encode()


def order_from_json(text: bytes) -> LoadOrder:
    """The order that travelled. Raises: WorkerError when it is not one, or one of another release."""
    try:
        read: dict[str, Any] = json.loads(text)
        if mismatch := release_mismatch(worker=stepdown.__version__, server=read.get("release")):
            raise WorkerError(reason=Reason.INTERNAL_FAULT, detail=mismatch)
        return LoadOrder(
            providers=tuple(map(ExecutionProvider, read["providers"])),
            model_file=str(read["model_file"]),
            external_data=tuple(map(str, read["external_data"])),
            maximum_batch=int(read["maximum_batch"]),
            minimum_placement_share=float(read["minimum_placement_share"]),
            inputs=tuple(map(_tensor_from_json, read["inputs"])),
            outputs=tuple(map(_tensor_from_json, read["outputs"])),
            resources=WorkerResources(
                threads=int(read["threads"]),
                cores=tuple(map(int, read["cores"])),
                niceness=int(read["niceness"]),
                device_id=int(read["device_id"]),
            ),
            warm_up_s=float(read["warm_up_s"]),
            drills=_drills_from_json(read),
            stays_out_of_swap=bool(read["stays_out_of_swap"]),
        )
    except KeyError as error:
        raise WorkerError(reason=Reason.INTERNAL_FAULT, detail=f"order without {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise WorkerError(reason=Reason.INTERNAL_FAULT, detail=f"order: {type(error).__name__}") from error


def release_mismatch(*, worker: object, server: object) -> str:
    """What to say when the two sides are of different releases; nothing when they are of one."""
    if worker == server:
        return ""
    named = f"the worker's files are of release {_named(worker)}, the running server is of {_named(server)}"
    return f"{named}: restart the server, or put its files back"


def _named(release: object) -> str:
    """A release as the other side wrote it, which need not be one."""
    return release[:_RELEASE_CHARACTERS] if isinstance(release, str) and release else "no name (older?)"


def _drills_from_json(read: Mapping[str, Any]) -> DrillTerms:
    """Only the very value true permits a drill."""
    fault = read["load_fault"]
    return DrillTerms(
        permitted=read["drills_permitted"] is True, load_fault=None if fault is None else InjectableFault(fault)
    )


def _tensor_to_json(spec: TensorSpec) -> Mapping[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": spec.shape}


def _tensor_from_json(read: Mapping[str, Any]) -> TensorSpec:
    return TensorSpec(
        name=str(read["name"]), datatype=str(read["datatype"]), shape=tuple(int(size) for size in read["shape"])
    )
