#!/usr/bin/env bash
# What this package does on the GPU of a Linux machine, beside PyTorch on the same GPU in the same run: the
# devices, the diff stages, and the training step at several batch sizes. Writes reports/gpu/.
#
# Needs no network and nothing installed but Node.js, a Vulkan loader with the card's driver, and a Python with
# PyTorch (without one our side is measured alone). Prepare elsewhere with `npm ci && npm run build`, then bring
# along bench/, dist/, fixtures/, node_modules/ and package.json, or an installed package with what it needs; of node_modules/ what `npm ci --omit=dev` installs will do.
#
#   bash bench/gpu.sh
#   NODE=/opt/node/bin/node PYTHON=/opt/venv/bin/python BATCHES="128 512" bash bench/gpu.sh
#   DEVICE=cpu PEER_DEVICE=cpu NARROW=16 BATCHES=8 STEPS=1 RUNS=3 STAGES=loss OUT=/tmp/rehearsal bash bench/gpu.sh
#
# STAGES: stages of `diff` (all of them); `none` leaves them out. MODES: PyTorch's, see fixtures/peer_torch.py.
# Exit code: 0; 1 a check of the diff stages failed; 2 they could not run, or no step was timed. Everything is tried all
# the same. bench/gpu_train.sh makes the whole training run.
set -uo pipefail
cd "$(dirname "$0")/.."

NODE=${NODE:-node}
PYTHON=${PYTHON:-python3}
DEVICE=${DEVICE:-webgpu}
PEER_DEVICE=${PEER_DEVICE:-cuda}
MODES=${MODES:-fp32 tf32 bf16 compile bf16-compile}
BATCHES=${BATCHES:-128 512}
STAGES=${STAGES:-}
STEPS=${STEPS:-20}
RUNS=${RUNS:-7}
WARMUP=${WARMUP:-2}
NARROW=${NARROW:-1}
OUT=${OUT:-reports/gpu}

. bench/prepared.sh
prepared gpu.sh fixtures/peer_torch.py

mkdir -p "$OUT" || exit 2

# On its way to the file everything is seen, too; the status is the command's.
record() {
  local file=$1
  shift
  "$@" 2>&1 | tee "$OUT/$file"
  return "${PIPESTATUS[0]}"
}

cli() { "$NODE" dist/cli/main.js "$@"; }

echo '## Machine'
record machine.txt machine
echo '## Devices'
record devices.txt cli devices

echo "## Diff stages on $DEVICE"
if [ "$STAGES" = none ]; then
  diff_status=0
  echo 'left out' | tee "$OUT/diff.txt"
else
  # shellcheck disable=SC2086
  record diff.txt cli diff $STAGES --device "$DEVICE" --out "$OUT/diff" --json "$OUT/diff.json"
  diff_status=$?
fi
status=$diff_status

# TensorFlow.js takes part where it is built in and runs.
backends=(--backend ort)
if [ "$DEVICE" = webgpu ] && grep -Eq '^tfjs +webgpu +runs' "$OUT/devices.txt"; then backends+=(--backend tfjs); fi

peer=()
if why=$(torch_on "$PEER_DEVICE"); then
  peer=(--peer torch --peer-device "$PEER_DEVICE" --python "$PYTHON")
  for mode in $MODES; do peer+=(--peer-mode "$mode"); done
else
  echo "gpu.sh: our step is timed alone: $why" >&2
fi

sizes=()
for batch in $BATCHES; do sizes+=(--batch-size "$batch"); done

echo '## Training step'
if ! record step.md cli bench --device "$DEVICE" "${backends[@]}" "${peer[@]}" "${sizes[@]}" \
  --steps "$STEPS" --runs "$RUNS" --warmup "$WARMUP" --narrow "$NARROW" --json "$OUT/step.json"; then
  echo 'gpu.sh: the step was not timed' >&2
  [ "$status" -ne 0 ] || status=2
fi

{
  printf '# swa-align on %s' "$DEVICE"
  [ ${#peer[@]} -eq 0 ] || printf ', PyTorch on %s' "$PEER_DEVICE"
  printf '\n\n## Training step\n\n'
  cat "$OUT/step.md"
  [ -n "$why" ] && printf '\nOur step was timed alone: %s.\n' "$why"
  printf '\n## Diff stages: exit code %s\n\n```\n' "$diff_status"
  cat "$OUT/diff.txt"
  printf '```\n\n## Machine and devices\n\n```\n'
  cat "$OUT/machine.txt" "$OUT/devices.txt"
  printf '```\n'
} >"$OUT/README.md"
echo "written to $OUT/README.md"
exit "$status"
