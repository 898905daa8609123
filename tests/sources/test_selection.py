"""Filters, duplicates and one clip for each action and actor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocapgen.sources.base import Clip, Listing
from mocapgen.sources.selection import candidate_groups, drop_duplicates, filter_clips, not_needed, select_clips
from schemas.config import BuildConfig
from schemas.errors import ConfigError
from schemas.report import Skip


def clip(actor: str, action: str, take: str = "001", sha256: str | None = None, fault: Skip | None = None, folder: str = "") -> Clip:
    name = f"HDM_{actor}_{action}_{take}_120"
    return Clip(name, f"{folder}{name}.amc", actor, action, take, 120.0, sha256, fault)


def config(**settings: object) -> BuildConfig:
    return BuildConfig.model_validate({"dry_run": True, **settings})


CLIPS = [clip(actor, action, take) for actor in ("bd", "mm") for action in ("hopLeg", "kick", "kickHigh") for take in ("001", "002")]


def test_filters_know_wildcards_in_any_case() -> None:
    kept, skipped = filter_clips(CLIPS, ["B?"], ["KICK*"])
    assert {(c.actor, c.action) for c in kept} == {("bd", "kick"), ("bd", "kickHigh")}
    assert len(kept) + len(skipped) == len(CLIPS)
    by_file = {skip.file: skip for skip in skipped}
    assert by_file["HDM_mm_kick_001_120.amc"].detail == "actor mm is not among --actors B?"
    assert by_file["HDM_bd_hopLeg_001_120.amc"].detail == "action hopLeg is not among --actions KICK*"
    assert {skip.reason for skip in skipped} == {"not selected"}


def test_filters_without_wildcards_match_whole_names() -> None:
    kept, _ = filter_clips(CLIPS, (), ["kick"])
    assert {c.action for c in kept} == {"kick"}
    assert filter_clips(CLIPS) == (CLIPS, [])


@pytest.mark.parametrize(
    ("actors", "actions", "message"),
    [
        (["xx"], [], "actors: expected a pattern that matches an actor, found 'xx'; there are bd, mm"),
        (
            [],
            ["kick", "kik"],
            "actions: expected a pattern that matches an action, found 'kik'; did you mean kick or kickHigh? there are hopLeg, kick, kickHigh",
        ),
        ([], ["high"], "actions: expected a pattern that matches an action, found 'high'; did you mean kickHigh? there are hopLeg, kick, kickHigh"),
    ],
)
def test_pattern_that_matches_nothing(actors: list[str], actions: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        filter_clips(CLIPS, actors, actions)
    assert str(error.value) == message


def test_filters_that_contradict_each_other() -> None:
    with pytest.raises(ConfigError, match="actors='mm' with actions='hop': expected clips that match both, found none"):
        filter_clips([clip("bd", "hop"), clip("mm", "kick")], ["mm"], ["hop"])


def test_long_lists_of_names_are_cut() -> None:
    with pytest.raises(ConfigError, match=r"action011 and 88 more$"):
        filter_clips([clip("bd", f"action{i:03}") for i in range(100)], (), ["zzz"])


def test_nothing_to_filter_is_no_error() -> None:
    assert filter_clips([], ["bd"], ["x"]) == ([], [])


def test_duplicates_by_bytes() -> None:
    clips = [
        clip("bd", "hop", "001", sha256="aa", folder="a/"),
        clip("bd", "HOP", "001", sha256="bb", folder="b/"),
        clip("bd", "kick", "007", sha256="aa"),
        clip("bd", "kick", "008"),
        clip("bd", "kick", "009"),
    ]
    kept, skipped = drop_duplicates(clips)
    assert kept == [clips[0], clips[1], clips[3], clips[4]]
    assert [(skip.file, skip.reason, skip.detail) for skip in skipped] == [
        (clips[2].file, "duplicate", "the same bytes as a/HDM_bd_hop_001_120.amc"),
    ]


def test_files_of_one_id_are_candidates_for_one_clip() -> None:
    """In the order given, which is that of preference; what the first says of actor and action counts for all."""
    first, second = clip("bd", "hop", "2", folder="z/"), clip("bd", "HOP", "2", folder="a/")
    odd = Clip(first.id, "odd.c3d", "mm", "kick", "1")
    others = [clip("bd", "hop", "1"), clip("mm", "kick", "3")]
    clips = [first, second, odd, *others]
    assert candidate_groups(clips, "all") == [(first, second, odd), (others[0],), (others[1],)]
    assert candidate_groups(clips, "one-per-actor") == [(others[0], first, second, odd), (others[1],)]
    skips = [not_needed(other, first) for other in (second, odd)]
    assert {(skip.reason, skip.detail) for skip in skips} == {("duplicate", f"the same clip id as {first.file}")}


def test_groups_are_in_order_of_the_take_by_value() -> None:
    clips = [clip("bd", "kick", "10"), clip("bd", "hop", "1"), clip("bd", "kick", "2"), clip("mm", "Kick", "003"), clip("mm", "kick", "1")]
    groups = candidate_groups(clips, "one-per-actor")
    assert [[c.take for c in group] for group in groups] == [["2", "10"], ["1"], ["1", "003"]]
    assert candidate_groups(clips, "all") == [(c,) for c in clips]


def test_takes_without_numbers_are_ordered_too() -> None:
    (group,) = candidate_groups([clip("bd", "kick", take) for take in ("b", "", "2a", "a10", "a9", "2")], "one-per-actor")
    assert [c.take for c in group] == ["", "2", "2a", "a9", "a10", "b"]


def test_one_that_is_not_needed_names_the_used_one() -> None:
    skip = not_needed(CLIPS[1], CLIPS[0])
    assert (skip.file, skip.reason) == (CLIPS[1].file, "not selected")
    assert CLIPS[0].id in skip.detail
    assert "--select all" in skip.detail


def test_filters_come_before_faults_and_duplicates() -> None:
    fault = Skip(file="HDM_mm_kick_001_120.amc", reason="no skeleton", detail="none")
    clips = (
        clip("bd", "hop", sha256="aa"),
        clip("mm", "hop", sha256="aa"),
        clip("mm", "kick", fault=fault),
    )
    listing = Listing(clips, (Skip(file="z.amc", reason="not a clip", detail="odd"),))
    selection = select_clips(listing, config(actors=["mm"]))
    assert selection.groups == ((clips[1],),)  # not a duplicate of what was not asked for
    assert [skip.reason for skip in selection.skipped] == ["not selected", "no skeleton", "not a clip"]
    # A fault of a clip that was not asked for does not count against the data.
    assert [skip.reason for skip in select_clips(listing, config(actors=["bd"])).skipped] == ["not selected", "not selected", "not a clip"]
    # A faulty actor can be named: the report then says what is wrong.
    only = Listing((clip("bd", "hop"), clip("mm", "kick", fault=fault)))
    assert select_clips(only, config(actions=["kick"])).groups == ()


def test_a_sound_copy_replaces_a_faulty_clip() -> None:
    fault = Skip(file="a/HDM_bd_hop_001_120.amc", reason="no skeleton", detail="none")
    copies = (clip("bd", "hop", sha256="aa", fault=fault, folder="a/"), clip("bd", "hop", sha256="aa", folder="b/"))
    assert select_clips(Listing(copies), config()).groups == ((copies[1],),)


@given(
    st.lists(
        st.builds(
            clip,
            actor=st.sampled_from(["bd", "mm"]),
            action=st.sampled_from(["hop", "kick"]),
            take=st.sampled_from(["1", "2", "10"]),
            sha256=st.sampled_from([None, "aa", "bb"]),
            folder=st.sampled_from(["", "a/", "b/"]),
        ),
        unique_by=lambda c: c.file,
    ),
    st.sampled_from(["one-per-actor", "all"]),
    st.sampled_from([(), ("*",)]),
)
def test_every_clip_is_in_one_group_or_skipped(clips: list[Clip], select: str, actors: tuple[str, ...]) -> None:
    selection = select_clips(Listing(tuple(clips)), config(select=select, actors=actors))
    used = [c.file for group in selection.groups for c in group]
    assert sorted(used + [skip.file for skip in selection.skipped]) == sorted(c.file for c in clips)
    groups_of = [{c.id for c in group} for group in selection.groups]
    assert sum(map(len, groups_of)) == len(set().union(*groups_of))  # an id is in one group
    if select == "all":
        assert all(len(ids) == 1 for ids in groups_of)
    if select == "one-per-actor":
        assert len({(group[0].action, group[0].actor) for group in selection.groups}) == len(selection.groups)


def test_categories() -> None:
    kinds = {"a": ("walk", "sports"), "b": ("run",), "c": ()}
    clips = tuple(Clip(name, f"{name}.bvh", "x", name, "1", categories=own) for name, own in kinds.items())
    listing = Listing(clips, categories=("golf", "run", "sports", "walk"))

    def chosen(*categories: str) -> list[str]:
        return [clip.id for group in select_clips(listing, config(categories=categories)).groups for clip in group]

    assert chosen("SPORT*") == ["a"]
    assert chosen("run", "walk") == ["a", "b"]
    assert chosen() == ["a", "b", "c"]
    assert select_clips(listing, config(categories=("run",))).skipped[0].detail == "category walk sports is not among --category run"
    with pytest.raises(ConfigError, match=r"found 'wlak'; did you mean walk\? there are golf, run, sports, walk$"):
        chosen("wlak")
    with pytest.raises(ConfigError, match=r"expected a category that there are clips of, found 'golf'; there are run, sports, walk$"):
        chosen("golf")
    with pytest.raises(ConfigError, match=r"^categories: .* found 'walk'; there are none$"):
        select_clips(Listing(clips), config(categories=("walk",)))


def test_the_same_bytes_under_another_suffix_are_no_duplicate() -> None:
    """One of them is damaged, and nobody knows which before they are read."""
    clips = [Clip(file, file, "x", "y", "1", sha256="0" * 64) for file in ("a.amc", "b.c3d", "c.C3D")]
    kept, skipped = drop_duplicates(clips)
    assert [clip.file for clip in kept] == ["a.amc", "b.c3d"]
    assert [skip.detail for skip in skipped] == ["the same bytes as b.c3d"]
