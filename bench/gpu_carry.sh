#!/usr/bin/env bash
# What bench/gpu.sh needs, Node.js included, in parts for a machine that has neither Node.js nor a network.
#
#   npm ci --ignore-scripts && npm run build && npm run cli -- setup cuda     # where there is a network
#   bash bench/gpu_carry.sh pack DIR
#   bash bench/gpu_carry.sh unpack DIR [INTO]      # there: DIR holds all parts and `sums`; INTO: the current directory
#
# pack writes DIR/part-00, part-01, ... of PART_MIB at most (32), which may travel one by one, and DIR/sums, their SHA-256.
# unpack needs bash and Python with its lzma, looks at all sums first, and says what to call. It begins anew where an earlier
# one broke off.
#
# TREE: what of this repository goes along (bench dist fixtures package.json): `dist` where the rest is there already.
# SWA_ALIGN_ORT: the folder of library and CUDA provider; else the one of `setup cuda`; none: without. NODE: the program.
# LIBRARIES: files of the system that are missing there, such as /usr/lib/x86_64-linux-gnu/libvulkan.so.1.
# DATA: a directory with cifar-10-batches-bin/ for the run by SWA. LEVEL: of xz (6).
set -euo pipefail

PART_MIB=${PART_MIB:-32}
TREE=${TREE:-bench dist fixtures package.json}
LIBRARIES=${LIBRARIES:-}
DATA=${DATA:-}
LEVEL=${LEVEL:-6}

stop() {
  echo "gpu_carry.sh: $1" >&2
  exit 2
}

# What the program needs of node_modules/, one path a line. TypeScript is only a compiler's peer.
packages() {
  npm ls --omit=dev --all --parseable 2>/dev/null | sed -n "s#^$PWD/##p" | grep -v '^node_modules/@\?typescript' || true
}

# The folder that holds ONNX Runtime with its CUDA provider, where there is one.
provider() {
  local folder
  if [ "${SWA_ALIGN_ORT:-}" = none ]; then return; fi
  if [ -n "${SWA_ALIGN_ORT:-}" ]; then
    echo "$SWA_ALIGN_ORT"
    return
  fi
  for folder in "${SWA_ALIGN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/swa-align}"/onnxruntime-cuda-*; do
    if [ -d "$folder" ]; then echo "$folder"; fi
  done | tail -n 1
}

pack() {
  local into ort library
  mkdir -p "$1"
  into=$(cd "$1" && pwd)
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  [ -z "$(ls -A "$into")" ] || stop "$into is not empty"
  for needed in $TREE; do [ -e "$needed" ] || stop "$needed is missing; run \`npm ci && npm run build\`"; done
  ort=$(provider)
  if [ -z "$ort" ]; then
    echo 'gpu_carry.sh: without a CUDA provider; `swa-align setup cuda` fetches it' >&2
  elif [ ! -e "$ort/libonnxruntime_providers_cuda.so" ]; then
    stop "$ort has no CUDA provider"
  fi

  # Links in a folder of their own give everything its name there.
  stage=$(mktemp -d)
  trap 'rm -rf "$stage"' EXIT
  mkdir "$stage/carried" "$stage/carried/lib"
  ln -s "$(readlink -f "$(command -v "${NODE:-node}")")" "$stage/carried/node"
  if [ -n "$ort" ]; then ln -s "$(cd "$ort" && pwd)" "$stage/carried/onnxruntime-cuda"; fi
  for library in $LIBRARIES; do ln -s "$(readlink -f "$library")" "$stage/carried/lib/$(basename "$library")"; done
  if [ -n "$DATA" ]; then ln -s "$(cd "$DATA" && pwd)" "$stage/carried/data"; fi
  # shellcheck disable=SC2086
  { printf '%s\n' $TREE && packages; } >"$stage/list"

  # Libraries of other systems stay here.
  tar --create --dereference --exclude='onnxruntime-node/bin/*/darwin' --exclude='onnxruntime-node/bin/*/win32' \
    --exclude=__pycache__ --files-from "$stage/list" -C "$stage" carried |
    xz -T0 "-$LEVEL" | split --bytes="${PART_MIB}M" --numeric-suffixes - "$into/part-"
  (cd "$into" && sha256sum part-* >sums)
  du -sh "$into"/part-*
}

unpack() {
  python3 - "$1" "${2:-.}" <<'PY'
"""Joins the parts and unpacks them."""

import hashlib
import io
import os
import sys
import tarfile
from pathlib import Path


def stop(why):
    print(f"gpu_carry.sh: {why}", file=sys.stderr)
    sys.exit(2)


class Joined(io.RawIOBase):
    """The parts one after the other, as one file."""

    def __init__(self, parts):
        self.rest = [open(part, "rb") for part in parts]

    def readable(self):
        return True

    def readinto(self, into):
        while self.rest:
            count = self.rest[0].readinto(into)
            if count:
                return count
            self.rest.pop(0).close()
        return 0


def checked(folder):
    if not (folder / "sums").is_file():
        stop(f"{folder} has no sums, which `pack` wrote beside the parts")
    parts = []
    for line in (folder / "sums").read_text().splitlines():
        digest, name = line.split()
        part = folder / name
        if not part.is_file():
            stop(f"{part} is missing")
        if hashlib.sha256(part.read_bytes()).hexdigest() != digest:
            stop(f"{part} is not what was packed; bring it again")
        parts.append(part)
    return parts


folder, into = Path(sys.argv[1]), Path(sys.argv[2])
parts = checked(folder)
into.mkdir(parents=True, exist_ok=True)
try:
    with tarfile.open(fileobj=io.BufferedReader(Joined(parts), 1 << 20), mode="r|xz") as archive:
        # Before Python 3.11.4 there is none to be had; what comes was packed here.
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(into, **safely)
except (OSError, tarfile.TarError, EOFError) as error:
    stop(f"{into}: {error}")
carried = into / "carried"
words = [f"cd {into} &&", "NODE=carried/node"]
if (carried / "onnxruntime-cuda").is_dir():
    words.append("SWA_ALIGN_ORT=carried/onnxruntime-cuda")
if os.listdir(carried / "lib"):
    words.append("LD_LIBRARY_PATH=carried/lib")
if (carried / "data").is_dir():
    words.append('DATA=carried/data ABOUT="..."')
print(*words, "bash bench/gpu.sh")
PY
}

case ${1:-}:$# in
  pack:2) pack "$2" ;;
  unpack:[23]) unpack "${@:2}" ;;
  *) stop 'usage: pack DIR, or unpack DIR [INTO]' ;;
esac
