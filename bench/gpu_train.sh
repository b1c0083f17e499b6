#!/usr/bin/env bash
# The whole training run by SWA on the GPU of a Linux machine, ours and PyTorch's from the same seed on the same images, in
# as many calls as it takes: each call goes on from the checkpoints of the one before. Writes reports/gpu/train/.
#
# Needs what bench/gpu.sh needs, and a directory that holds cifar-10-batches-bin/.
#
#   DATA=DIR ABOUT="CIFAR-10 as published" bash bench/gpu_train.sh
#   DATA=DIR ABOUT="..." DEVICE=webgpu bash bench/gpu_train.sh
#   DATA=DIR ABOUT="..." LIMIT=540 NODE=/opt/node/bin/node PYTHON=/opt/venv/bin/python bash bench/gpu_train.sh
#   DATA=synthetic ABOUT="the synthetic set" DEVICE=cpu PEER_DEVICE=cpu FLAGS="--epochs 3 --swa-start 2" \
#     CHECKPOINTS=/tmp/runs OUT=/tmp/rehearsal bash bench/gpu_train.sh
#
# ABOUT says in the report what the images are: an accuracy means nothing without. LIMIT: seconds for this call, ours first and
# then PyTorch's. FLAGS: of `train`, those that fixtures/train_in_torch.py has too. CHECKPOINTS: where those go.
# Exit code: 0 both runs are finished, or ours and there is no PyTorch; 3 time is up, call again; 2 something is wrong.
set -uo pipefail
cd "$(dirname "$0")/.."

NODE=${NODE:-node}
PYTHON=${PYTHON:-python3}
DEVICE=${DEVICE:-cuda}
PEER_DEVICE=${PEER_DEVICE:-cuda}
FLAGS=${FLAGS:-}
LIMIT=${LIMIT:-540}
CHECKPOINTS=${CHECKPOINTS:-checkpoints/gpu}
OUT=${OUT:-reports/gpu/train}
SECONDS=0

. bench/prepared.sh
prepared gpu_train.sh bench/train_torch.py fixtures/train_in_torch.py
for name in DATA ABOUT; do
  if [ -z "${!name:-}" ]; then
    echo "gpu_train.sh: $name is not set; DATA names the directory of the images, ABOUT says what they are" >&2
    exit 2
  fi
done
if [ "$DATA" = synthetic ]; then data=(--dataset synthetic); else data=(--data-path "$DATA"); fi

mkdir -p "$OUT" "$CHECKPOINTS" || exit 2
[ -e "$OUT/machine.txt" ] || machine >"$OUT/machine.txt"

ours() {
  [ ! -e "$OUT/ours/run.json" ] || return 0
  # shellcheck disable=SC2086
  limited ours.txt "$NODE" dist/cli/main.js train --swa "${data[@]}" $FLAGS --device "$DEVICE" --dir "$CHECKPOINTS/ours" \
    --save-freq 5 --keep 2 --report "$OUT/ours" --resume auto
}

torch() {
  [ ! -e "$OUT/torch/run.json" ] || return 0
  # shellcheck disable=SC2086
  limited torch.txt "$PYTHON" bench/train_torch.py --device "$PEER_DEVICE" --checkpoint "$CHECKPOINTS/torch/checkpoint.pt" \
    --swa "${data[@]}" $FLAGS --dir "$OUT/torch"
}

# leave STATUS WHO: ends this call where a run is not finished.
leave() {
  [ "$1" -ne 0 ] || return 0
  if [ "$1" -eq 3 ]; then
    echo "gpu_train.sh: time is up in $2; call again to go on"
    exit 3
  fi
  echo "gpu_train.sh: $2 failed" >&2
  exit 2
}

ours
leave $? 'our run'
runs=("$OUT/ours")
if why=$(torch_on "$PEER_DEVICE"); then
  torch
  leave $? "PyTorch's run"
  runs+=("$OUT/torch")
else
  echo "gpu_train.sh: our run stands alone: $why" >&2
fi

"$NODE" dist/cli/main.js report "${runs[@]}" --out "$OUT/curves.svg" || exit 2
{
  printf '# A run by SWA on %s, PyTorch on %s\n\nThe images: %s\n\n' "$DEVICE" "$PEER_DEVICE" "$ABOUT"
  [ -z "$why" ] || printf 'Our run stands alone: %s.\n\n' "$why"
  cat "$OUT/curves.md"
  printf '\nBoth draw weights, order, flips, crops and dropout masks from the same seed and differ by rounding, which training magnifies.\n'
  printf 'Seconds are of whole epochs, PyTorch'\''s data loader among them, which takes images one by one in Python; the table of gpu.sh has\n'
  printf 'the step times beside each other.\n'
  printf '\nFlags of both: `--swa%s`.\n\n```\n' "${FLAGS:+ $FLAGS}"
  cat "$OUT/machine.txt"
  printf '```\n'
} >"$OUT/README.md"
echo "written to $OUT/README.md"
