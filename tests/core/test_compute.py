"""The device and the threads that the networks run on, and what importing the package costs."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest
import torch

from personae.core.compute import (
    configure_torch,
    count_usable_cores,
    select_device,
    single_threaded,
)
from personae.core.errors import SettingError


def test_an_unknown_device_and_a_missing_gpu_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert select_device("cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert select_device("auto") == "cpu"
    with pytest.raises(SettingError, match="CUDA"):
        select_device("cuda")
    with pytest.raises(SettingError, match="choose"):
        select_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert select_device("auto") == select_device("cuda") == "cuda"


@pytest.mark.parametrize(("stated", "cores"), [("3", 3), ("4,2", 4), ("0", None), ("all", None)])
def test_the_number_of_threads_may_be_stated(
    stated: str, cores: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", stated)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 5, 7}, raising=False)
    assert count_usable_cores() == (cores or 3)
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert count_usable_cores() == 3


def test_threads_of_torch_are_set_and_checked() -> None:
    with pytest.raises(SettingError, match="at least 1"):
        configure_torch(0)
    before = torch.get_num_threads()
    configure_torch(1)
    assert torch.get_num_threads() == 1
    torch.set_num_threads(before)


@pytest.mark.parametrize("when", [True, False])
def test_a_single_threaded_block_restores_the_threads(when: bool) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)

    def fail() -> None:
        with single_threaded(when):
            assert torch.get_num_threads() == (1 if when else 2)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


@pytest.mark.parametrize("stated", [None, "ACTIVE"])
def test_waiting_threads_sleep_unless_the_environment_says_otherwise(stated: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if stated:
        environment["OMP_WAIT_POLICY"] = stated
    code = (
        "import sys, os; from personae.core.compute import configure_torch;"
        "assert 'torch' not in sys.modules;"
        "configure_torch(1); print(os.environ['OMP_WAIT_POLICY'])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True
    )
    assert run.stdout.decode().strip() == (stated or "PASSIVE")


def test_importing_the_package_loads_no_large_library() -> None:
    code = (
        "import sys, personae; large = {'torch', 'cv2', 'numpy', 'pyarrow', 'onnxruntime', 'av'};"
        "sys.exit(bool(large & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_log_records_carry_the_module_and_are_silent_without_a_handler(
    caplog: pytest.LogCaptureFixture,
) -> None:
    code = (
        "import logging; from personae.weights import downloads;"
        "downloads.logger.warning('to nobody'); assert not logging.root.handlers"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert run.stdout == run.stderr == b""
    before = torch.get_num_threads()
    with caplog.at_level(logging.DEBUG, logger="personae"):
        configure_torch(1)
    torch.set_num_threads(before)
    assert [record.name for record in caplog.records] == ["personae.core.compute"]
    assert "1 threads" in caplog.text
