"""Build the test face of `personae doctor`, and its embedding by the original runtime.

    python tools/build_probe.py MobileFaceNet.tflite

The photograph is NASA's portrait of Eileen Collins (public domain) as packaged by scikit-image. The
embedding is computed by the encoder's original TensorFlow Lite file, not by our own network. Needs
scikit-image and ai-edge-litert; see `build_weights.py` for the origin of the file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from skimage.data import astronaut

from personae.cli.diagnostics import PROBE, probe_crop
from personae.core.crops import template_square
from personae.weights import weight_file


def main() -> None:
    """Write the image and the reference embedding."""
    PROBE.mkdir(exist_ok=True)
    face = cv2.cvtColor(astronaut()[0:224, 112:336], cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(PROBE / "face.jpg"), face, [cv2.IMWRITE_JPEG_QUALITY, 88])
    entry = weight_file("mobilefacenet-192")
    crop, _ = probe_crop()
    mean, std = entry.preprocessing.mean[0], entry.preprocessing.std[0]
    image = (template_square(crop).astype(np.float32) - mean) / std
    interpreter = Interpreter(model_content=Path(sys.argv[1]).read_bytes())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.stack([image, image]))
    interpreter.invoke()
    embedding = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    unit = embedding / np.linalg.norm(embedding)
    reference = {"encoder": entry.name, "embedding": [round(float(value), 5) for value in unit]}
    (PROBE / "reference.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
