#!/usr/bin/env bash
# A Ray cluster that already runs; start this on one of its nodes.
# usage: RAY_ADDRESS=HEAD:6379 sweeps/ray_cluster.sh search_spaces/quora.yaml [options of `bertsweep run`]
#
# Every node needs the same environment (pip install -c constraints.txt bertsweep) and sees storage
# and cache under the same path, NFS for example. From outside the cluster, send the command in:
#   ray job submit --address http://HEAD:8265 -- sweeps/ray_cluster.sh search_spaces/quora.yaml
set -euo pipefail
spec=${1:?usage: $0 SPEC.yaml [options]}
shift

export RAY_ADDRESS=${RAY_ADDRESS:-auto}
# Trials run code: only let those in who hold the cluster's token.
export RAY_AUTH_MODE=${RAY_AUTH_MODE:-token}
# Folders that every node shares.
export BERTSWEEP_STORAGE=${BERTSWEEP_STORAGE:?a folder that every node sees}
export BERTSWEEP_CACHE=${BERTSWEEP_CACHE:?a folder that every node sees}

exec bertsweep run "$spec" --address "$RAY_ADDRESS" "$@"
