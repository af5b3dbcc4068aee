"""Types of NumPy arrays, with the width of their numbers in the name."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float16Array = npt.NDArray[np.float16]
Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.floating]
"""Floating-point numbers of any width; a function that takes them computes in their precision."""

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
IntArray = npt.NDArray[np.integer]
"""Integers of any width."""

UInt8Array = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]
