"""Formats for researchers, one a module: face tracks, crops with embeddings, who is on screen."""

from __future__ import annotations

from personae.export.export_format import ExportFormat
from personae.export.researchers.coco_video import write_coco_video
from personae.export.researchers.crop_folders import write_crop_folders
from personae.export.researchers.cvat import write_cvat
from personae.export.researchers.label_studio import write_label_studio
from personae.export.researchers.mot_challenge import write_mot_challenge
from personae.export.researchers.numpy_archive import write_numpy_archive
from personae.export.researchers.rttm import write_rttm
from personae.export.researchers.web_dataset import write_web_dataset

FORMATS: tuple[ExportFormat, ...] = (
    ExportFormat(
        "coco",
        ".json",
        "faces",
        "researchers",
        holds="COCO for video in TAO's layout, with CocoVID's fields: boxes, tracks, characters",
        loses="landmarks; frames without a face are not listed",
        write=write_coco_video,
    ),
    ExportFormat(
        "mot",
        "",
        "faces",
        "researchers",
        holds="MOT Challenge: a sequence with gt/gt.txt and seqinfo.ini, for TrackEval and others",
        loses="scores, interpolated or not, exact frame rate; names are beside, in characters.csv",
        write_folder=write_mot_challenge,
    ),
    ExportFormat(
        "cvat",
        "",
        "faces",
        "researchers",
        holds="CVAT for video 1.1 with its labels, to correct and bring back by personae import",
        loses="scores, landmarks, times (CVAT counts frames)",
        write_folder=write_cvat,
    ),
    ExportFormat(
        "labelstudio",
        "",
        "faces",
        "researchers",
        holds="Label Studio predictions, to correct and bring back by personae import",
        loses="scores, landmarks, what of a box is off the picture; see the docs on variable rates",
        write_folder=write_label_studio,
    ),
    ExportFormat(
        "crops",
        "",
        "faces",
        "researchers",
        holds="a folder of face crops for each character, with embeddings.npy and crops.csv",
        loses="boxes of frames without a crop",
        write_folder=write_crop_folders,
    ),
    ExportFormat(
        "webdataset",
        ".tar",
        "faces",
        "researchers",
        holds="WebDataset: crops, class, embedding and description of each, for PyTorch",
        loses="boxes of frames without a crop",
        write=write_web_dataset,
    ),
    ExportFormat(
        "npz",
        ".npz",
        "faces",
        "researchers",
        holds="NumPy archive: X (embeddings), y (characters), tracks and times, for scikit-learn",
        loses="pictures, boxes of frames without a crop",
        write=write_numpy_archive,
        to_stdout=False,
    ),
    ExportFormat(
        "rttm",
        ".rttm",
        "appearances",
        "researchers",
        holds="RTTM: who is on screen when, for pyannote and diarization metrics",
        loses="boxes, frames, confidence, unknown faces; times are milliseconds",
        write=write_rttm,
    ),
)
"""In the order in which `personae export --list` shows them."""
