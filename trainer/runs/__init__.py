"""The files that a run writes into its folder.

::

runs/NAME/
config.json        the settings (folder.py)
split.json         the names of the sequences on each side (folder.py)
last.safetensors   weights, averaged weights, optimiser and progress after the last complete step, for --resume (state.py)
last.json          its card (card.py)
best.safetensors   the weights to use
best.json          their card
log.csv log.jsonl  one row per epoch (history.py)
history.png        the losses over the epochs (history.py)
metrics.json       the best weights on the test side, at the end of the run
.lock              empty; locked while somebody trains here (lock.py)
.training          where there are no locks: there while somebody trains here (lock.py)
README.md          what the folder holds, and the command that makes it again (readme.py)
"""
