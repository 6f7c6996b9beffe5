"""From raw parameters to typed ones at one scale, with everything checked, whichever scale runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from zenn.errors import InputError, did_you_mean
from zenn.pipeline.params.base import SCALES, Section
from zenn.pipeline.params.problems import ParamsError, Problem, found_in, unknown_key
from zenn.pipeline.params.root import SECTIONS, Params
from zenn.pipeline.params.tree import dotted, has, keys_that_are_no_text, leaves, merged
from zenn.pipeline.params.words import one_of, shown


def resolve(raw: Mapping[str, Any], source: str = "params.yaml", scale: str | None = None) -> Params:
    """The typed parameters in `raw` at one scale.

    All three scales of every section are checked: a slip in `paper:` shows before the day it is needed.

    Parameters
    ----------
    raw : what params.yaml holds, or Snakemake's `config`; not changed.
    source : the file that messages name.
    scale : "small", "paper" or "ci"; by default what `raw` says.

    Raises
    ------
    zenn.errors.InputError : a `ParamsError` with one line for each problem, and all of them in `problems`.
    """
    problems = list(dict.fromkeys(_problems(raw, scale)))
    if problems:
        raise ParamsError([InputError(source, dotted(p.path), p.found, p.expected, p.hint) for p in problems])
    chosen = scale or raw["scale"]
    return Params.model_validate(
        {"scale": chosen, **{name: at_scale(raw[name], chosen) for name in SECTIONS}}
    )


def at_scale(section: Mapping[str, Any], scale: str | None) -> dict[str, Any]:
    """A raw section with the block of `scale` merged into its common values; no block if it is None."""
    common = {key: value for key, value in section.items() if key not in SCALES}
    return merged(common, _block(section, scale))


def _block(section: Mapping[str, Any], scale: str | None) -> Mapping[str, Any]:
    """The overriding block for `scale`; a block of comments only (`paper:` and nothing) overrides nothing."""
    block: Mapping[str, Any] | None = section.get(scale) if scale else None
    return {} if block is None else block


def _problems(raw: Mapping[str, Any], scale: str | None) -> Iterator[Problem]:
    """Everything wrong with `raw`, or with the `scale` asked for."""
    odd_keys = [
        Problem(
            path,
            f"the key {shown(key)}",
            "a text",
            "YAML reads yes, no, on and off as true and false: quote them",
        )
        for path, key in keys_that_are_no_text(raw)
    ]
    if odd_keys:
        yield from odd_keys
        return
    known = list(Params.model_fields)
    yield from (unknown_key((key,), known) for key in raw if key not in known)
    yield from _scale_problems(raw.get("scale"))
    if scale is not None:
        yield from _scale_problems(scale)
    for name, model in SECTIONS.items():
        yield from _section_problems(name, model, raw.get(name))


def _scale_problems(scale: Any) -> Iterator[Problem]:
    """What is wrong with the name of a scale."""
    if scale not in SCALES:
        hint = did_you_mean(scale, SCALES) if isinstance(scale, str) else ""
        yield Problem(("scale",), "nothing" if scale is None else shown(scale), one_of(SCALES), hint)


def _section_problems(name: str, model: type[Section], section: Any) -> Iterator[Problem]:
    """What is wrong with a section: in its common values, and at each scale."""
    if not isinstance(section, Mapping):
        found = "nothing" if section is None else shown(section)
        yield Problem((name,), found, f"a mapping with the keys: {', '.join(model.model_fields)}")
        return
    broken = [s for s in SCALES if not isinstance(_block(section, s), Mapping)]
    yield from (
        Problem((name, s), shown(section[s]), f"a mapping that overrides values of '{name}'") for s in broken
    )
    yield from _shadowed(name, section)
    # The common values alone too, since an error in them must not hide behind overriding blocks. There, and
    # only there, a value may be missing: every block may give it.
    yield from (p for p in _variant_problems(name, model, section, None) if p.kind != "missing")
    variants = {s: list(_variant_problems(name, model, section, s)) for s in SCALES if s not in broken}
    for scale, problems in variants.items():
        for problem in problems:
            everywhere = all(problem in others for others in variants.values())
            named = problem.kind != "missing" or everywhere
            yield problem if named else replace(problem, hint=f"at scale {scale}")


def _variant_problems(
    name: str, model: type[Section], section: Mapping[str, Any], scale: str | None
) -> Iterator[Problem]:
    """What is wrong with a section at one scale, each problem placed where the user wrote it."""
    block = _block(section, scale)
    for problem in found_in(model, at_scale(section, scale), extra_keys=() if scale else SCALES):
        if scale and has(block, problem.path):
            yield replace(problem, path=(name, scale, *problem.path))
        elif scale is None or problem.kind != "unknown":  # unknown common keys were found without a scale
            yield replace(problem, path=(name, *problem.path))


def _shadowed(name: str, section: Mapping[str, Any]) -> Iterator[Problem]:
    """Common values that no scale uses: changing one would change nothing, without a word."""
    for path, value in leaves(at_scale(section, None)):
        if all(has(_block(section, scale), path) for scale in SCALES):
            expected = f"no common value where {', '.join(SCALES)} all override it"
            yield Problem((name, *path), shown(value), expected, "change the values in the blocks")
