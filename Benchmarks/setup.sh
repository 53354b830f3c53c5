#!/bin/sh
# Makes Benchmarks/.venv with the peers that lgc is measured against. Does nothing when it is there.
set -eu
cd "$(dirname "$0")"
if [ -x .venv/bin/python ] && .venv/bin/python -c 'import torch, jax, numpy, safetensors, yaml, deel.torchlip' 2>/dev/null; then
  exit 0
fi
python3 -m venv .venv || {
  echo "setup.sh: python3 with venv is needed: apt-get install python3-venv" >&2
  exit 2
}
.venv/bin/pip install -q numpy safetensors jax pyyaml
# The CPU build of PyTorch where it is to be had, else the default one: the kernels are the same.
.venv/bin/pip install -q 'torch==2.13.0+cpu' 2>/dev/null || .venv/bin/pip install -q torch
.venv/bin/pip install -q 'deel-torchlip==1.0.5'
