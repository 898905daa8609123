"""Batches: every frame once, padding that is marked, an order that depends on seed and epoch alone."""

import numpy as np
import pytest
import torch

from trainer.data.batches import PAD_TO, Items, Loader, epoch_batches, epoch_items, whole_sequences


def frames_of(items):
    return [(int(s), int(f) + k) for s, f, n in zip(items.sequence, items.first, items.length, strict=True) for k in range(n)]


@pytest.mark.parametrize("window", [None, 27, 64])
def test_every_frame_is_in_an_epoch_once(data, window):
    sequences = np.arange(3, 20)
    for epoch in range(3):
        batches = epoch_batches(epoch_items(data, sequences, window, 1, epoch), 4, 1, epoch)
        found = [frame for batch in batches for frame in frames_of(batch)]
        assert sorted(found) == [(s, k) for s in sequences for k in range(data.length[s])]
        assert max(len(batch) for batch in batches) <= 4
        if window is not None:
            assert max(batch.length.max() for batch in batches) <= window


def test_order_is_a_function_of_seed_and_epoch(data):
    items = epoch_items(data, np.arange(len(data)), None, 0, 0)

    def order(seed, epoch):
        return [batch.sequence.tolist() for batch in epoch_batches(items, 4, seed, epoch)]

    assert order(0, 3) == order(0, 3)
    assert order(0, 3) != order(0, 4)
    assert order(0, 3) != order(1, 3)


def test_batches_hold_sequences_of_like_length(data):
    items = epoch_items(data, np.arange(len(data)), None, 0, 0)
    padded = sum(len(batch) * batch.length.max() for batch in epoch_batches(items, 4, 0, 0))
    assert padded < 1.1 * data.length.sum()


def test_gathered_frames_are_the_files(data):
    items = Items(np.array([2, 9]), np.array([5, 0]), np.array([30, 41]))
    batch = Loader(data).gather(items)
    assert batch.mask.shape == (2, -(-41 // PAD_TO) * PAD_TO)
    assert batch.mask.sum(dim=1).tolist() == [30, 41]
    for row, (s, f, n) in enumerate(zip(items.sequence, items.first, items.length, strict=True)):
        rows = data.start[s] + f + np.arange(n)
        np.testing.assert_array_equal(batch.positions[row, :n].numpy(), data.positions_3d[rows])
        np.testing.assert_array_equal(batch.pixels[row, :n].numpy(), data.positions_2d[rows])
        np.testing.assert_array_equal(batch.intrinsics[row].numpy(), data.intrinsics[s])
    assert torch.equal(batch.positions[0, 30:], batch.positions[0, 29:30].expand(batch.positions.shape[1] - 30, -1, -1))
    part = batch.part(slice(1, None, 2))
    assert part.items.sequence.tolist() == [9]
    assert torch.equal(part.pixels[0], batch.pixels[1])


def test_whole_sequences_cover_the_side(data):
    sequences = np.array([8, 1, 5, 30])
    batches = list(whole_sequences(data, sequences, frames=150))
    assert sorted(np.concatenate([batch.sequence for batch in batches])) == sorted(sequences)
    assert all(len(batch) == 1 or len(batch) * batch.length.max() <= 150 for batch in batches)
