#!/usr/bin/env bash
# Proves cleanclip on this machine's GPU in at most nine minutes, from a folder that pack.sh has made:
#   bash check.sh          with torch of `python3` (or of $PYTHON), a C++20 compiler and CMake; no Node, no network
#   bash check.sh --cpu    the rehearsal: the same stages, small, without a GPU
# Results go to $OUT, by default gpu-results/: a JSON file for each stage and summary.md. A stage that fails or is out
# of time does not stop the next. The last line is "N passed, N failed".
set -uo pipefail
pack=$(cd "$(dirname "$0")" && pwd)
export PYTHON=${PYTHON:-python3} OUT=${OUT:-gpu-results} GPU_CHECK_CPU=0 GPU_CHECK_WORK
export RES_OPTIONS=${RES_OPTIONS:-timeout:1 attempts:1} # as jest.config.js: a resolver that does not answer
[ "${1:-}" = --cpu ] && GPU_CHECK_CPU=1
mkdir -p "$OUT" && OUT=$(cd "$OUT" && pwd)
GPU_CHECK_WORK=$(mktemp -d)
trap 'rm -rf "$GPU_CHECK_WORK"' EXIT
cd "$GPU_CHECK_WORK"

# Seconds from the start at which each must have ended; what one leaves, the next has. The rehearsal has ten times that.
ends='setup 140 smoke 175 parity 215 steps 335 epoch 370 distributed 405 quickstart 490 faults 538'
slow=$((GPU_CHECK_CPU ? 10 : 1))

timed() { # timed <stage> <second> <command …>: runs it with what time is left, and keeps how it ended
  local stage=$1 start=$SECONDS limit=$(($2 * slow - SECONDS)) code
  shift 2
  ((limit > 0)) || limit=1
  echo "=== $stage, at most $limit s"
  GPU_CHECK_SECONDS=$limit timeout -k 5 "$limit" "$@" >"$stage.log" 2>&1 </dev/null
  code=$?
  cat "$stage.log"
  printf '%s\t%s\t%s\t%s\n' "$stage" "$code" $((SECONDS - start)) "$limit" >>stages.tsv
  [ "$stage" = setup ] || ./node scripts/gpu/summary.mjs >/dev/null
  return "$code"
}

setup() { # unpacks, and compiles against Python's torch while the data are made
  "$PYTHON" - "$pack" <<'PYTHON' || return
import lzma, os, shutil, sys, tarfile
with lzma.open(os.path.join(sys.argv[1], "node.xz")) as packed, open("node", "wb") as node:
    shutil.copyfileobj(packed, node)
os.chmod("node", 0o755)
with tarfile.open(os.path.join(sys.argv[1], "cleanclip.tar.xz")) as packed:
    packed.extractall(".")
PYTHON
  local torch
  torch=$("$PYTHON" -c 'import os, torch; print(os.path.dirname(torch.__file__))') || return
  # A folder as `setup --cuda` wants it: torch, and beside it NVIDIA's packages, with the headers that pip leaves out.
  ln -s "$torch" torch
  ln -s "$torch"/../nvidia/* nvidia/
  ./node scripts/gpu/prepare.mjs &
  local cuda=()
  [ -e torch/lib/libtorch_cuda.so ] && cuda=(--cuda)
  export LIBTORCH=$PWD/torch CLEANCLIP_CACHE=$PWD/cache
  ./node bin/cleanclip.js setup "${cuda[@]}" ||
    ./node bin/cleanclip.js setup || return # without NCCL's headers
  wait "$!"
}
export -f setup
export pack

read -ra plan <<<"$ends"
if timed setup "${plan[1]}" bash -c setup; then
  export UV_THREADPOOL_SIZE
  UV_THREADPOOL_SIZE=$(nproc)
  for ((i = 2; i < ${#plan[@]}; i += 2)); do
    timed "${plan[i]}" "${plan[i + 1]}" ./node "scripts/gpu/${plan[i]}.mjs"
  done
fi
./node scripts/gpu/summary.mjs || echo '0 passed, 1 failed'
