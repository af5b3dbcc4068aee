"""Write docs/configuration.md from the models in personae.core.config, and from nothing else.

python tools/configuration_page.py           # write the page
python tools/configuration_page.py --check   # exit with 1 if the page is out of date
"""

from __future__ import annotations

import sys
import typing
from pathlib import Path
from types import UnionType

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from personae.core.config import AdaptConfig, ClusterConfig, Device, EncodeConfig, ScanConfig

PAGE = Path(__file__).resolve().parents[1] / "docs" / "configuration.md"
STAGES: dict[str, type[BaseModel]] = {
    "scan": ScanConfig,
    "encode": EncodeConfig,
    "adapt": AdaptConfig,
    "cluster": ClusterConfig,
}
SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}

HEAD = """# Configuration

<!-- Written by tools/configuration_page.py from personae.core.config; do not edit. -->

Every setting has a default that suits most films. In Python, `personae.analyze` takes each of them
by name:

```python
cast = personae.analyze("film.mp4", depth="last", crop_interval=6)
```

[The command](command.md) offers those that users change most often. A setting is part of the digest
of its stage: the stage and those that read it run again when it changes. An unknown name or a value
out of range is refused in one sentence. So is a setting of adaptation for a method that adapts
nothing (`hac`, `finch`). `device` ({devices}) belongs to no stage, since it changes
how fast a run is and not what it finds.

*Paper* is VideoClusterNet (Walawalkar and Garrido, ECCV 2024).
"""


def write_page() -> str:
    """Return the page as Markdown."""
    devices = ", ".join(f"`{device}`" for device in typing.get_args(Device))
    parts = [HEAD.format(devices=devices)]
    for stage, model in STAGES.items():
        parts.append(f"\n## {stage}\n\n{(model.__doc__ or '').splitlines()[0]}\n")
        parts.append("| setting | type | default | meaning |\n|---|---|---|---|")
        parts += [_row(name, field) for name, field in model.model_fields.items()]
    return "\n".join(parts) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    kind = " ".join([_type_name(field.annotation), _bounds(field)]).strip()
    default = repr(field.default).replace("'", '"')
    return f"| `{name}` | {kind} | `{default}` | {field.description} |"


def _type_name(annotation: object) -> str:
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if typing.get_origin(annotation) in (typing.Union, UnionType):
        return " or ".join(map(_type_name, arguments))
    return "None" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))


def _bounds(field: FieldInfo) -> str:
    return ", ".join(
        f"{sign} {getattr(limit, name):g}"
        for limit in field.metadata
        for name, sign in SIGNS.items()
        if hasattr(limit, name)
    )


def main() -> None:
    """Write the page, or compare it."""
    page = write_page()
    if "--check" not in sys.argv:
        PAGE.write_text(page, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page:
        sys.exit(f"{PAGE} is out of date: run `python tools/configuration_page.py`.")


if __name__ == "__main__":
    main()
