#!/usr/bin/env bash
# One machine: every GPU runs a trial of its own; without GPUs, trials share the cores.
# usage: sweeps/one_machine.sh search_spaces/quora.yaml [options of `bertsweep run`]
set -euo pipefail
spec=${1:?usage: $0 SPEC.yaml [options]}
shift

# Where sweeps are written, and where downloads, encoders and tokens are kept between sweeps.
export BERTSWEEP_STORAGE=${BERTSWEEP_STORAGE:-$PWD/runs}
export BERTSWEEP_CACHE=${BERTSWEEP_CACHE:-$HOME/.cache/bertsweep}

# Two trials a GPU: add  --set resources.gpus_per_trial=0.5
# W&B: export WANDB_API_KEY, or nothing for offline runs.
bertsweep validate "$spec" "$@"
exec bertsweep run "$spec" "$@"
