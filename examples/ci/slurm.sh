#!/bin/sh
#SBATCH --job-name=kvmfair
#SBATCH --array=1-5
#SBATCH --exclusive
#SBATCH --time=04:00:00
# One run on five nodes, as root: sbatch slurm.sh; on another number of nodes: sbatch --array=1-3 slurm.sh
# Then, when all have ended: kvmfair merge --different-machines --out merged parts/*
set -eu
kvmfair bench --partition "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --out parts lab/nightly.toml
