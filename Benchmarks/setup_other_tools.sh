#!/bin/sh
# Makes the two environments of other_tools.py: .venv-tools (PyTorch, torchlip, eclipse-nn) and
# .venv-gloro (TensorFlow, GloRo). Does nothing where they are there.
set -eu
cd "$(dirname "$0")"
if [ ! -x .venv-tools/bin/python ]; then
  python3 -m venv .venv-tools
  .venv-tools/bin/pip install -q numpy safetensors torch deel-torchlip==1.0.5 eclipse-nn==0.1.7
fi
if [ ! -x .venv-gloro/bin/python ]; then
  python3 -m venv .venv-gloro
  .venv-gloro/bin/pip install -q tensorflow-cpu tf_keras 'setuptools<70' gloro==1.1.1
fi
