#!/usr/bin/env bash
# What this package does on the GPU of a Linux machine, beside PyTorch on the same GPU in the same run: the
# devices, the diff stages, and the training step at several batch sizes. Writes reports/gpu/.
#
# Needs no network and nothing installed but Node.js, a Vulkan loader with the card's driver, and a Python with
# PyTorch. Prepare elsewhere with `npm ci && npm run build:gpu`, then bring the directory along with
# node_modules/ and dist/.
#
#   bash bench/gpu.sh
#   NODE=/opt/node/bin/node PYTHON=/opt/venv/bin/python BATCHES="128 512" bash bench/gpu.sh
#   DEVICE=cpu PEER_DEVICE=cpu NARROW=16 BATCHES=8 STEPS=1 RUNS=3 STAGES=loss OUT=/tmp/rehearsal bash bench/gpu.sh
#
# Exit code: 0, or that of the diff stages (1 a check failed, 2 it could not run); everything is tried all the same.
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

for file in dist/cli/main.js dist/gpu/bench/main.js; do
  if [ ! -f "$file" ]; then
    echo "gpu.sh: $file is missing; run \`npm ci && npm run build:gpu\` first" >&2
    exit 2
  fi
done
mkdir -p "$OUT"

# On its way to the file everything is seen, too; the status is the command's.
record() {
  local file=$1
  shift
  "$@" 2>&1 | tee "$OUT/$file"
  return "${PIPESTATUS[0]}"
}

machine() {
  date --utc +%FT%TZ
  uname -srm
  "$NODE" --version
  if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
  else
    echo 'no nvidia-smi'
  fi
  "$PYTHON" -c 'import torch; print("PyTorch", torch.__version__, "CUDA", torch.version.cuda, "cuDNN", torch.backends.cudnn.version())' ||
    echo 'no PyTorch'
}

cli() { "$NODE" dist/cli/main.js "$@"; }

echo '## Machine'
record machine.txt machine
echo '## Devices'
record devices.txt cli devices

echo "## Diff stages on $DEVICE"
# shellcheck disable=SC2086
record diff.txt cli diff $STAGES --device "$DEVICE" --out "$OUT/diff" --json "$OUT/diff.json"
status=$?

# TensorFlow.js takes part where it is built in and runs.
backends=(--backend ort)
if grep -Eq '^tfjs +webgpu +runs' "$OUT/devices.txt"; then backends+=(--backend tfjs); fi

peer=(--peer torch --peer-device "$PEER_DEVICE" --python "$PYTHON")
for mode in $MODES; do peer+=(--peer-mode "$mode"); done
if ! "$PYTHON" -c 'import torch' 2>/dev/null; then peer=(); fi

sizes=()
for batch in $BATCHES; do sizes+=(--batch-size "$batch"); done

echo '## Training step'
record step.md "$NODE" dist/gpu/bench/main.js --device "$DEVICE" "${backends[@]}" "${peer[@]}" "${sizes[@]}" \
  --steps "$STEPS" --runs "$RUNS" --warmup "$WARMUP" --narrow "$NARROW" --json "$OUT/step.json" ||
  echo 'gpu.sh: the step was not timed' >&2

{
  printf '# %s\n\n```\n' 'On this GPU'
  cat "$OUT/machine.txt" "$OUT/devices.txt"
  printf '```\n\n## Diff stages on %s: exit code %s\n\n```\n' "$DEVICE" "$status"
  cat "$OUT/diff.txt"
  printf '```\n\n## Training step\n\n'
  cat "$OUT/step.md"
} >"$OUT/README.md"
echo "written to $OUT/README.md"
exit "$status"
