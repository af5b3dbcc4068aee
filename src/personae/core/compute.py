"""Where the networks run, and how torch is set up before they do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from personae.core.errors import SettingError


def import_torch() -> ModuleType:
    """Import torch for the first time with OpenMP's threads told to sleep, not spin, while they wait.

    Beside other busy processes, two spinning threads ran at a sixth of the speed of two sleeping ones.
    OMP_WAIT_POLICY, where set, goes first; once torch has been imported its OpenMP no longer reads it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    return torch


def choose_device(wish: str = "auto") -> str:
    """Give "cpu" or "cuda" for a wish of "auto", "cpu" or "cuda".

    Raises SettingError if the wish is another word, or "cuda" on a machine without a usable one.
    """
    if wish not in ("auto", "cpu", "cuda"):
        raise SettingError(f"There is no device {wish!r}: choose auto, cpu or cuda.")
    if wish == "cpu":
        return "cpu"
    present = import_torch().cuda.is_available()
    if wish == "cuda" and not present:
        raise SettingError(
            "No usable CUDA GPU was found: choose the device cpu or auto, or install a CUDA build of torch."
        )
    return "cuda" if present else "cpu"


def usable_cores() -> int:
    """How many cores this process may run on; OMP_NUM_THREADS, where set, goes first."""
    stated = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if stated.isdigit() and int(stated) > 0:
        return int(stated)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux knows
        return os.cpu_count() or 1


def prepare_torch(threads: int | None = None) -> None:
    """Set torch's number of threads (None: `usable_cores()`) and flush denormal numbers to zero.

    Some published weights hold thousands of denormal numbers, which slow a CPU down several times.
    """
    if threads is not None and threads < 1:
        raise SettingError(f"The number of threads must be at least 1, not {threads}.")
    torch = import_torch()
    torch.set_flush_denormal(True)
    torch.set_num_threads(threads or usable_cores())


@contextmanager
def one_thread(when: bool = True) -> Iterator[None]:
    """Let torch compute in one thread for a while, if `when`.

    Products of a few hundred rows gain nothing from a second thread and lose by waiting for it; and in one
    thread sums do not depend on the number of cores.
    """
    torch = import_torch()
    before = torch.get_num_threads()
    torch.set_num_threads(1 if when else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def native_bfloat16(device: str) -> bool:
    """Say whether the device computes in bfloat16 natively, so that it is faster than float32, not slower."""
    torch = import_torch()
    if device != "cpu":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    abilities: dict[str, object] = getattr(
        torch.cpu, "get_capabilities", dict
    )()  # newer versions of torch
    return bool(abilities.get("avx512_bf16") or abilities.get("amx_bf16"))
