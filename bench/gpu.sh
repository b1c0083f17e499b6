#!/usr/bin/env bash
# What this package does on the GPU of a Linux machine, beside PyTorch on the same GPU in the same run: the devices, the
# diff stages on each, the training step at several batch sizes, the stages in TF32, and the run by SWA. Writes reports/gpu/.
#
# Needs no network and nothing installed but Node.js, a Python with PyTorch (without one our side is measured alone), for
# WebGPU a Vulkan loader with the card's driver, and for CUDA what `swa-align setup cuda` fetches (SWA_ALIGN_ORT names its
# folder). Prepare elsewhere with `npm ci && npm run build`, then bring along bench/, dist/, fixtures/, node_modules/ and
# package.json, or an installed package with what it needs; bench/gpu_carry.sh packs all that, Node.js too, in parts.
#
#   bash bench/gpu.sh
#   NODE=/opt/node/bin/node PYTHON=/opt/venv/bin/python BATCHES="128 512" bash bench/gpu.sh
#   DATA=DIR ABOUT="CIFAR-10 as published" LIMIT=540 bash bench/gpu.sh
#   DEVICES=cpu PEER_DEVICE=cpu TF32_DEVICE=cpu TF32=fp32 NARROW=16 BATCHES=8 STEPS=1 RUNS=3 STAGES=loss TF32_STAGES=loss \
#     DATA=synthetic ABOUT="the synthetic set" TRAIN_FLAGS="--narrow 16 --epochs 3 --swa-start 2" OUT=/tmp/rehearsal bash bench/gpu.sh
#
# STAGES: stages of `diff` (all of them); `none` leaves them out, in TF32_STAGES too. MODES: PyTorch's, see
# fixtures/peer_torch.py. DATA, ABOUT: as bench/gpu_train.sh has them; without, there is no run by SWA. LIMIT: seconds for
# this call; a part that has ended is not made again by the next one.
# What is not there is named, and the rest is done. Exit code: 0; 1 a check of the diff stages failed; 2 a part broke off, or
# no device runs; 3 time is up, call again.
set -uo pipefail
cd "$(dirname "$0")/.."

NODE=${NODE:-node}
PYTHON=${PYTHON:-python3}
DEVICES=${DEVICES:-cuda webgpu}
PEER_DEVICE=${PEER_DEVICE:-cuda}
MODES=${MODES:-fp32 tf32 bf16 compile bf16-compile}
BATCHES=${BATCHES:-128 512}
STAGES=${STAGES:-}
TF32=${TF32:-tf32}
TF32_DEVICE=${TF32_DEVICE:-cuda}
TF32_STAGES=${TF32_STAGES:-forward loss backward}
STEPS=${STEPS:-20}
RUNS=${RUNS:-7}
WARMUP=${WARMUP:-2}
NARROW=${NARROW:-1}
DATA=${DATA:-}
ABOUT=${ABOUT:-}
TRAIN_FLAGS=${TRAIN_FLAGS:-}
LIMIT=${LIMIT:-86400}
OUT=${OUT:-reports/gpu}
SECONDS=0

. bench/prepared.sh
prepared gpu.sh fixtures/peer_torch.py

mkdir -p "$OUT/parts" || exit 2
late=0 failed=0 broken=0
missing=()

cli() { "$NODE" dist/cli/main.js "$@"; }

lacks() {
  missing+=("$1")
  echo "gpu.sh: $1" >&2
}

# part NAME COMMAND...: what it says goes to NAME.txt. The file parts/NAME says that it was begun, and its exit code once it
# has ended.
part() {
  local name=$1 status
  shift
  printf '\n## %s\n' "$name"
  if [ -s "$OUT/parts/$name" ]; then
    echo 'made by an earlier call'
    return
  fi
  : >"$OUT/$name.txt"
  : >"$OUT/parts/$name"
  limited "$name.txt" "$@"
  status=$?
  if [ "$status" -eq 3 ]; then
    late=1
    echo "gpu.sh: time is up in $name" >&2
  else
    echo "$status" >"$OUT/parts/$name"
  fi
}

# begun NAME, ended NAME: whether it was, in this call or an earlier one of the same run.
begun() { [ -e "$OUT/parts/$1" ]; }
ended() { [ -s "$OUT/parts/$1" ]; }

# stages NAME DEVICE WORD...: the diff stages on a device.
stages() {
  local name=$1 device=$2
  shift 2
  part "$name" "$NODE" dist/cli/main.js diff "$@" --device "$device" --out "$OUT/diff/$name" \
    --reporter "json=$OUT/$name.json" --reporter "markdown=$OUT/$name.md"
}

runs_here() { grep -Eq "^$1 +$2 +runs" "$OUT/devices.txt"; }

echo '## machine'
machine 2>&1 | tee "$OUT/machine.txt"
printf '\n## devices\n'
cli devices 2>&1 | tee "$OUT/devices.txt"

devices=()
for device in $DEVICES; do
  if runs_here ort "$device"; then
    devices+=("$device")
  else
    why=$(sed -nE "s/^ort +$device +- +//p" "$OUT/devices.txt")
    [ "$device" != cuda ] || why+=' (`swa-align setup cuda` says what is missing)'
    lacks "--device $device does not run: ${why:-there is no such device}"
  fi
done

for device in ${devices[@]+"${devices[@]}"}; do
  # shellcheck disable=SC2086
  [ "$STAGES" = none ] || stages "diff-$device" "$device" $STAGES
done

if why=$(torch_on "$PEER_DEVICE"); then
  peer=(--peer torch --peer-device "$PEER_DEVICE" --python "$PYTHON")
  for mode in $MODES; do peer+=(--peer-mode "$mode"); done
else
  peer=()
  lacks "there is no PyTorch to compare with: $why"
fi

backends=()
for device in ${devices[@]+"${devices[@]}"}; do
  backends+=(--backend "ort:$device")
  # TensorFlow.js takes part where it is built in and runs.
  if [ "$device" = webgpu ] && runs_here tfjs webgpu; then backends+=(--backend tfjs:webgpu); fi
done
sizes=()
for batch in $BATCHES; do sizes+=(--batch-size "$batch"); done
if [ ${#backends[@]} -gt 0 ]; then
  part step "$NODE" dist/cli/main.js bench "${backends[@]}" --precision fp32 --precision tf32 ${peer[@]+"${peer[@]}"} \
    "${sizes[@]}" --steps "$STEPS" --runs "$RUNS" --warmup "$WARMUP" --narrow "$NARROW" --json "$OUT/step.json"
fi

# How far TF32 is from float32's limits, which it is not asked to keep.
if [ "$TF32_STAGES" != none ] && runs_here ort "$TF32_DEVICE"; then
  # shellcheck disable=SC2086
  stages "$TF32-$TF32_DEVICE" "$TF32_DEVICE" $TF32_STAGES --precision "$TF32"
fi

if [ ${#devices[@]} -gt 0 ]; then
  if [ -n "$DATA" ] && [ -n "$ABOUT" ]; then
    part train env NODE="$NODE" PYTHON="$PYTHON" DEVICE="${devices[0]}" PEER_DEVICE="$PEER_DEVICE" FLAGS="$TRAIN_FLAGS" \
      DATA="$DATA" ABOUT="$ABOUT" LIMIT=$((LIMIT - SECONDS - 15)) OUT="$OUT/train" CHECKPOINTS="${CHECKPOINTS:-checkpoints/gpu}" \
      bash bench/gpu_train.sh
  else
    lacks 'there is no run by SWA: DATA names the directory of its images, ABOUT says what they are'
  fi
fi

[ ${#devices[@]} -gt 0 ] || broken=1
for file in "$OUT"/parts/*; do
  name=$(basename "$file")
  ended "$name" || continue
  case $name:$(cat "$file") in
    *:0 | "$TF32-$TF32_DEVICE":1) ;;
    diff-*:1) failed=1 ;;
    *) broken=1 && lacks "$name did not run: $(grep -E '^(swa-align|gpu_train.sh): ' "$OUT/$name.txt" | tail -n 1)" ;;
  esac
done

# shown NAME TITLE FILE...: what there is of a part, for the report.
shown() {
  local name=$1
  printf '\n## %s\n\n' "$2"
  shift 2
  ended "$name" || printf 'Not finished: time was up.\n\n'
  [ $# -eq 0 ] || cat "$@" 2>/dev/null
}
{
  printf '# swa-align on %s' "${devices[*]-nothing}"
  [ ${#peer[@]} -eq 0 ] || printf ', PyTorch on %s' "$PEER_DEVICE"
  printf '\n'
  for line in ${missing[@]+"${missing[@]}"}; do printf '\n- %s' "$line"; done
  printf '\n'
  ! begun step || shown step 'Training step' "$OUT/step.txt"
  for device in ${devices[@]+"${devices[@]}"}; do
    ! begun "diff-$device" || shown "diff-$device" "Stages on $device" "$OUT/diff-$device.md"
  done
  ! begun "$TF32-$TF32_DEVICE" || shown "$TF32-$TF32_DEVICE" "Stages in $TF32, by float32's limits" "$OUT/$TF32-$TF32_DEVICE.md"
  if begun train; then
    shown train 'The run by SWA'
    sed -e '1,2d' -e 's#](curves#](train/curves#' "$OUT/train/README.md" 2>/dev/null
  fi
  printf '\n## Machine and devices\n\n```\n'
  cat "$OUT/machine.txt" "$OUT/devices.txt"
  printf '```\n'
} >"$OUT/README.md"
printf '\nwritten to %s/README.md\n' "$OUT"

if [ "$late" -eq 1 ]; then
  echo 'gpu.sh: time is up; call again to go on'
  exit 3
fi
# All has ended: the next call begins anew.
rm -r "$OUT/parts"
[ "$broken" -eq 0 ] || exit 2
exit "$failed"
