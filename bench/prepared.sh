# What bench/gpu.sh and bench/gpu_train.sh share; read by them from the repository's root, with NODE, PYTHON, LIMIT, OUT and SECONDS set.

# prepared SCRIPT FILE...: exit code 2 and a line where something that SCRIPT needs is not there.
prepared() {
  local script=$1
  shift
  for file in "$@" dist/cli/main.js package.json fixtures/reference; do
    if [ ! -e "$file" ]; then
      echo "$script: $file is missing; run \`npm ci && npm run build\`, and bring along what the head of this script lists" >&2
      exit 2
    fi
  done
  if ! "$NODE" --version >/dev/null 2>&1; then
    echo "$script: $NODE does not run; name a Node.js with NODE=" >&2
    exit 2
  fi
  if ! "$NODE" dist/cli/main.js --version >/dev/null; then
    echo "$script: swa-align does not start; bring along node_modules/, see the head of this script" >&2
    exit 2
  fi
}

# torch_on DEVICE: whether the Python has PyTorch, and that the device; says why not.
torch_on() {
  if ! "$PYTHON" -c 'import torch' >/dev/null 2>&1; then
    echo "$PYTHON has no PyTorch"
    return 1
  fi
  if [ "$1" = cuda ] && ! "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    echo 'PyTorch sees no CUDA device'
    return 1
  fi
}

# limited LOG COMMAND...: within what is left of LIMIT, what it says seen and appended to LOG in OUT; its exit code, 3 where
# time is up.
limited() {
  local file=$1 left=$((LIMIT - SECONDS)) status
  shift
  [ "$left" -gt 0 ] || return 3
  # After Ctrl-C a checkpoint is written; a minute has to do.
  timeout --signal=INT --kill-after=60 "$left" "$@" 2>&1 | tee -a "$OUT/$file"
  status=${PIPESTATUS[0]}
  case $status in
    124 | 137) return 3 ;;
    *) return "$status" ;;
  esac
}

machine() {
  date --utc +%FT%TZ
  uname -srm
  echo "Node.js $("$NODE" --version)"
  if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
  else
    echo 'no nvidia-smi'
  fi
  "$PYTHON" -c 'import torch; print("PyTorch", torch.__version__, "CUDA", torch.version.cuda, "cuDNN", torch.backends.cudnn.version())' 2>/dev/null ||
    echo 'no PyTorch'
}
