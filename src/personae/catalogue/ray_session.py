"""A connection to Ray: to one that is started on this machine, or to a cluster."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from personae.catalogue.worker_plan import FILM_MEMORY_BYTES, Machine
from personae.core.compute import count_usable_cores
from personae.core.errors import CatalogueError

OBJECT_STORE_BYTES = 80 << 20
"""Ray's least; nothing but a few words is sent through it."""

MAX_STARTS = 3

logger = logging.getLogger(__name__)


@contextmanager
def connect_to_ray(address: str | None, workers: int | None = None) -> Iterator[list[Machine]]:
    """Connect to a cluster, or start Ray on this machine for the length of the block.

    A Ray of this machine listens on the loopback interface alone and asks for a token.

    Args:
        address: Of the cluster's head, HOST:PORT; None: this machine.
        workers: How many this machine has to bear, whatever its size.

    Returns:
        The machines.

    Raises:
        CatalogueError: There is no cluster at the address.
    """
    scratch = None
    with _environment(_LOCAL_ENVIRONMENT if address is None else _CLUSTER_ENVIRONMENT):
        import ray

        if ray.is_initialized():
            yield _list_machines()
            return
        if address is None:
            scratch = _start(workers)
        else:
            _connect(address)
    try:
        yield _list_machines()
    finally:
        ray.shutdown()
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def has_several_hosts() -> bool:
    """Return whether the cluster that is connected has more than one machine."""
    return len({node["NodeManagerAddress"] for node in _living_nodes()}) > 1


_CLUSTER_ENVIRONMENT: Mapping[str, str | None] = {"RAY_USAGE_STATS_ENABLED": "0"}
_LOCAL_ENVIRONMENT: Mapping[str, str | None] = {
    **_CLUSTER_ENVIRONMENT,
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on Linux too, this makes Ray listen on loopback
    "RAY_agent_register_timeout_ms": "120000",  # a busy machine takes longer than Ray thinks
    "OMP_NUM_THREADS": None,  # so that Ray sets it to every worker's share
}


def _start(workers: int | None) -> str:
    """Start Ray on this machine, and return its scratch folder.

    On a machine that is busy with other things, Ray's processes can be too late for each other, so
    it is tried again.
    """
    for _ in range(MAX_STARTS - 1):
        try:
            return _start_once(workers)
        except Exception as error:  # Ray raises nothing more special
            logger.warning("Ray did not start (%s): once more", _first_sentence(error))
    try:
        return _start_once(workers)
    except Exception as error:
        raise CatalogueError(
            f"Ray does not start on this machine ({_first_sentence(error)}): wait until it is less "
            "busy, or run the films without Ray by --in-process."
        ) from error


def _start_once(workers: int | None) -> str:
    import ray

    memory = None if workers is None else (workers + 1) * FILM_MEMORY_BYTES
    cores = count_usable_cores()
    scratch = tempfile.mkdtemp(prefix="ray-")  # short: it holds the names of sockets
    try:
        with _environment({"RAY_AUTH_TOKEN": _token()}):
            ray.init(
                address="local",
                num_cpus=cores if workers is None else max(cores, workers),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=OBJECT_STORE_BYTES,
                _memory=memory,
                _temp_dir=scratch,
            )
    except BaseException:
        ray.shutdown()
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return scratch


def _connect(address: str) -> None:
    import ray

    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray raises many kinds
        raise CatalogueError(
            f"There is no Ray cluster at {address} that answers ({_first_sentence(error)}): start "
            "one with `ray start --head`, and name its address as HOST:PORT."
        ) from error


def _list_machines() -> list[Machine]:
    machines = []
    for node in _living_nodes():
        has = node["Resources"]
        if has.get("CPU", 0) >= 1:
            machines.append(
                Machine(int(has["CPU"]), int(has.get("memory", 0)), float(has.get("GPU", 0)))
            )
    if not machines:
        raise CatalogueError("The Ray cluster has no machine with a core: start workers on it.")
    return machines


def _living_nodes() -> list[dict[str, Any]]:
    import ray

    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node for node in nodes if node["Alive"]]


@cache
def _token() -> str:
    """Return the secret of this process's Ray; Ray keeps the first one that it reads."""
    return os.environ.get("RAY_AUTH_TOKEN") or secrets.token_hex(32)


def _first_sentence(error: Exception) -> str:
    return " ".join(str(error).split()).partition(". ")[0][:200] or type(error).__name__


@contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set variables for the length of the block; None removes one."""
    before = {name: os.environ.get(name) for name in values}
    try:
        _set_variables(values)
        yield
    finally:
        _set_variables(before)


def _set_variables(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
