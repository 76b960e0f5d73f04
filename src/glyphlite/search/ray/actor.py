"""The actor of a search on a Ray cluster: a process that runs trials on images out of the cluster's object store."""

import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import GlyphliteError
from glyphlite.search.study import signature
from glyphlite.search.worker import StoppedError, serve


class RayWorker:
    """An actor: runs trials in a thread, and is told to stop by another."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def hello(self) -> dict[str, Any]:
        """Returns the signature of the trials that its process runs."""
        return signature()

    def serve(self, orders: Mapping[str, Any], images: Mapping[int, Any]) -> str | bool:
        """Works in the study of the orders; returns whether it is complete, or what the user can put right, if that ended it.

        Args:
            orders: as those of a worker process.
            images: references into the object store, by the side of the images.
        """
        ray: Any = import_module("ray")
        loaded: dict[int, Dataset] = {}

        def images_of(side: int) -> Dataset:
            if side not in loaded:
                loaded[side] = ray.get(images[side])
            return loaded[side]

        try:
            return serve(orders, self._stopped, images_of)
        except GlyphliteError as error:
            return str(error)
        except StoppedError:
            return True

    def stop(self) -> None:
        """Ends the work, amid a trial."""
        self._stopped.set()
