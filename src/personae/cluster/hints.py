"""Refuse hints on the number of people that a method cannot honour."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from personae.core.errors import SettingError

HINTS = ("num_people", "min_people", "max_people")
"""Settings of `ClusterConfig` that concern the number of people."""


def refuse_hints(method: str, honoured: Collection[str], settings: Mapping[str, object]) -> None:
    """Check that a method can honour all hints among some settings.

    Args:
        method: Registry name of the method.
        honoured: The hints that it honours.
        settings: Values by name; None is not given. Other names than `HINTS` are ignored.

    Raises:
        SettingError: A hint is given that the method does not honour.
    """
    refused = [hint for hint in HINTS if settings.get(hint) is not None and hint not in honoured]
    if refused:
        raise SettingError(
            f"The method {method!r} takes no {' and no '.join(refused)}: leave that out, "
            "or use the method 'personae'."
        )
