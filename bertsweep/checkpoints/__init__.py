"""Checkpoint folders of a trial: safetensors and JSON, whole or absent, never a pickle.

A folder of a trial holds two kinds: `best-NNNN`, the weights of report NNNN, the best so far, with
all that prediction needs; and `state-NNNN`, everything that the training step after report NNNN
depends on. Every file is listed with its checksum in the folder's `checkpoint.json`, which is
closed by its own. Driver, workers and readers share the folders without locks, by this protocol:

1. A worker writes `best-NNNN` whole (`write_best`) and removes none. A whole folder that is there
   already is kept: in a replay, equal parameters and seed give equal weights.
2. The driver records it in the ledger (`checkpoint_saved`, on disk before the call returns), and
   only then removes folders older than the one that was recorded before it. The last two recorded
   stay, and so does every newer one, whose report may still be on its way.
3. When a trial has ended, the driver removes all but the recorded one. Where nothing of the trial
   is kept, it first records that (`checkpoint_removed`); its predictions for the validation rows
   stay.
4. So the ledger names a whole folder at any moment at which a process may die; what a dead process
   left behind goes with the next removal in the same trial.
5. A reader takes the recorded folder, or where that is damaged the newest good one (`find_best`). A
   folder that goes while it is read was superseded twice meanwhile: the reader asks again.
6. Full states belong to the worker alone: it writes the new one, then removes the older ones, and
   goes on from the newest good one (`newest_state`).
"""

from bertsweep.checkpoints.best import (
    Checkpoint,
    Found,
    find_best,
    has_since,
    keep_only,
    read_predictions,
    remove_best,
    remove_superseded,
    write_best,
)
from bertsweep.checkpoints.folders import RECORD, WEIGHTS
from bertsweep.checkpoints.predictions import FILE as PREDICTIONS
from bertsweep.checkpoints.predictions import Predictions
from bertsweep.checkpoints.record import (
    TRAIN,
    TRAIN_AND_VALIDATION,
    CheckpointRecord,
    EncoderRecord,
)
from bertsweep.checkpoints.states import State, newest_state, remove_states, write_state
from bertsweep.vocabulary import TOKENIZER, VOCABULARY

FILES = (RECORD, WEIGHTS, VOCABULARY, TOKENIZER, PREDICTIONS)
"""The files of a checkpoint folder, which has one of the two for the tokenizer."""

__all__ = [
    "FILES",
    "TRAIN",
    "TRAIN_AND_VALIDATION",
    "Checkpoint",
    "CheckpointRecord",
    "EncoderRecord",
    "Found",
    "Predictions",
    "State",
    "find_best",
    "has_since",
    "keep_only",
    "newest_state",
    "read_predictions",
    "remove_best",
    "remove_states",
    "remove_superseded",
    "write_best",
    "write_state",
]
