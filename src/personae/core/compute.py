"""The device that the networks run on, and torch's threads."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from personae.core.errors import SettingError

logger = logging.getLogger(__name__)


def import_torch() -> ModuleType:
    """Import torch with its OpenMP threads set to sleep, not spin, while they wait.

    Beside other busy processes, two spinning threads ran at a sixth of the speed of two sleeping
    ones. OMP_WAIT_POLICY takes precedence where it is set. OpenMP reads it only once, when torch is
    first imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    return torch


def select_device(device: str = "auto") -> str:
    """Return "cpu" or "cuda" for a setting of "auto", "cpu" or "cuda".

    Raises:
        SettingError: The setting is another word, or "cuda" on a machine without a usable GPU.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise SettingError(f"There is no device {device!r}: choose auto, cpu or cuda.")
    if device == "cpu":
        return "cpu"
    available = import_torch().cuda.is_available()
    if device == "cuda" and not available:
        raise SettingError(
            "No usable CUDA GPU was found: choose the device cpu or auto, or install a CUDA build "
            "of torch."
        )
    selected = "cuda" if available else "cpu"
    logger.debug("device %s: %s", device, selected)
    return selected


def count_usable_cores() -> int:
    """Return how many cores this process may run on; OMP_NUM_THREADS takes precedence."""
    stated = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if stated.isdigit() and int(stated) > 0:
        return int(stated)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # it exists on Linux alone
        return os.cpu_count() or 1


def configure_torch(threads: int | None = None) -> None:
    """Set torch's number of threads and flush denormal numbers to zero.

    Some published weights hold thousands of denormal numbers, which slow a CPU down several times.

    Args:
        threads: Number of threads; None: `count_usable_cores()`.

    Raises:
        SettingError: The number of threads is below 1.
    """
    if threads is not None and threads < 1:
        raise SettingError(f"The number of threads must be at least 1, not {threads}.")
    torch = import_torch()
    torch.set_flush_denormal(True)
    torch.set_num_threads(threads or count_usable_cores())
    logger.debug("torch %s with %d threads", torch.__version__, torch.get_num_threads())


@contextmanager
def single_threaded(when: bool = True) -> Iterator[None]:
    """Let torch compute in a single thread inside the block, if `when`.

    Products of a few hundred rows gain nothing from a second thread and lose by waiting for it. In
    a single thread, sums do not depend on the number of cores.
    """
    torch = import_torch()
    before = torch.get_num_threads()
    torch.set_num_threads(1 if when else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def supports_bfloat16(device: str) -> bool:
    """Return whether the device computes in bfloat16 natively, and so faster than in float32."""
    torch = import_torch()
    if device != "cpu":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # only newer versions of torch have it
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
