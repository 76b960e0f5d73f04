"""The workers of a search on a Ray cluster: actors with the orders of `glyphlite.search.crew`, the images put once into Ray's
object store.

Trials stay in the study's storage, which every machine has to reach. An actor that died with its node is told by Ray at once:
its trial is failed and queued again, and another actor takes its place, where the cluster has room for it.
"""

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ToolError
from glyphlite.extras import require_extra
from glyphlite.files.untrusted import reason_of
from glyphlite.search.study import fail_trials_of

if TYPE_CHECKING:
    from optuna import Study

_ACTOR = "glyphlite.search.ray.actor"
"""The module of an actor, which its process imports."""

_END_SECONDS = 20.0
"""For the actors to hand back their trials; killed then."""

_MOST_LOST = 5
"""Actors that may be lost, besides one of each that was started, before the search gives up."""


class _Actor:
    """One actor as the cluster's client sees it: its handle, its signature once it is known, its work."""

    def __init__(self, handle: Any, orders: Mapping[str, Any], images: Mapping[int, Any]) -> None:
        self.handle, self.signature = handle, None
        self.hello, self.work = handle.hello.remote(), handle.serve.remote(orders, images)
        self.is_done = False


class RayCrew:
    """Some actors with the same orders; a context manager that ends them."""

    def __init__(
        self,
        study: "Study",
        orders: Mapping[str, Any],
        images: Callable[[int], Dataset],
        sides: Sequence[int],
        address: str,
        jobs: int | None = None,
    ) -> None:
        """Connects to a cluster, puts the images there and starts the actors.

        Args:
            study: whose trials they run.
            orders: as those of worker processes.
            images: reads the images of a side, here.
            sides: that trials may ask for.
            address: of the cluster: ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``.
            jobs: actors; None: one for each processor of the cluster.

        Raises:
            ToolError: Ray is not installed, there is no cluster, or its machines cannot reach the trials.
            DataError: the dataset cannot be had.
        """
        require_extra("ray", "--ray")
        self._ray: Any = import_module("ray")
        self._study, self._lost = study, 0
        self._is_ours = not self._ray.is_initialized()
        if self._is_ours:
            self._connect(address)
        try:
            self._require_reachable(str(orders["storage"]))
            self._orders = {**orders, "threads": 1}
            self._images = {side: self._ray.put(images(side)) for side in sides}
            count = jobs or max(1, int(self._ray.cluster_resources().get("CPU", 1)))
            self._actors = [self._started() for _ in range(count)]
        except BaseException:
            self._disconnect()
            raise

    def __enter__(self) -> "RayCrew":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def look_after(self) -> bool:
        """Queues the trials of lost actors and replaces those; returns whether any is at work.

        Raises:
            ToolError: one ended for what the user can put right, or too many were lost.
        """
        for place, actor in enumerate(self._actors):
            if actor.signature is None and self._is_ready(actor.hello):
                with suppress(self._ray.exceptions.RayError):
                    actor.signature = self._ray.get(actor.hello)
            if actor.is_done or not self._is_ready(actor.work):
                continue
            try:
                result: str | bool = self._ray.get(actor.work)
            except self._ray.exceptions.RayActorError as failure:
                self._replace(place, reason_of(failure))
                continue
            except self._ray.exceptions.RayError as failure:
                self._replace(place, reason_of(failure))
                continue
            if isinstance(result, str):
                raise ToolError(result)
            if result:
                actor.is_done = True
            else:  # worn: it has run its share of trials
                self._ray.kill(actor.handle)
                self._actors[place] = self._started()
        # One that waits for room in the cluster is nobody's when another has found the study complete.
        waited_for = [actor for actor in self._actors if not actor.is_done and actor.signature is not None]
        return bool(waited_for) or not any(actor.is_done for actor in self._actors)

    def end(self) -> None:
        """Ends the actors; each queues the trial again that it is at."""
        for actor in self._actors:
            with suppress(Exception):
                actor.handle.stop.remote()
        end = time.monotonic() + _END_SECONDS
        for actor in self._actors:
            if actor.signature is not None and not actor.is_done:
                with suppress(Exception):
                    self._ray.wait([actor.work], timeout=max(0.0, end - time.monotonic()))
            with suppress(Exception):
                self._ray.kill(actor.handle)
        self._actors = []
        self._disconnect()

    def _connect(self, address: str) -> None:
        try:
            self._ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        except Exception as failure:  # Ray raises its own kinds, gRPC's, and Python's
            raise ToolError(
                f"there is no Ray cluster at {address}: {reason_of(failure)}; begin one with ray start --head"
            ) from None

    def _disconnect(self) -> None:
        if self._is_ours:
            self._ray.shutdown()

    def _require_reachable(self, storage: str) -> None:
        """Refuses a file of this machine where others would have to reach it."""
        hosts = {node["NodeManagerHostname"] for node in self._ray.nodes() if node["Alive"]}
        if storage.startswith("sqlite") and hosts != {socket.gethostname()}:
            raise ToolError(
                f"the cluster has {len(hosts)} machines, which cannot share the file {storage}; keep the trials in a database: "
                "--storage postgresql://USER@HOST/NAME"
            )

    def _replace(self, place: int, reason: str) -> None:
        """Queues the trial again that a lost actor was at, and starts another."""
        lost = self._actors[place]
        if lost.signature is not None:
            fail_trials_of(self._study, lost.signature)
        self._lost += 1
        if self._lost >= _MOST_LOST + len(self._actors):
            raise ToolError(f"{self._lost} actors of the search were lost; the last: {reason}")
        self._actors[place] = self._started()

    def _started(self) -> _Actor:
        kind = self._ray.remote(import_module(_ACTOR).RayWorker)
        options = {"num_cpus": 1, "max_concurrency": 3, "max_restarts": 0, "scheduling_strategy": "SPREAD"}
        return _Actor(kind.options(**options).remote(), self._orders, self._images)

    def _is_ready(self, reference: Any) -> bool:
        return bool(self._ray.wait([reference], timeout=0)[0])
