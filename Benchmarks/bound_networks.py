"""Times `lgc bound` of VGG-16 and ResNet-50 shapes with random weights at 224×224.

Weights are normal with deviation √(2 / fan-in), variances of batch normalisation 0.5 … 1.5. Prints
seconds and peak memory of the whole process, the methods that proved the layers, and the largest
upper / lower of a layer of each method: how far a bound can lie above the norm.

    python bound_networks.py [--lgc PATH] [--only vgg16]
"""

import argparse
import collections
import json
import math
import os
import pathlib
import re
import subprocess
import tempfile
import time

import numpy

MODELS = pathlib.Path(__file__).parent / "models"


def write_safetensors(path, tensors):
    """The format is a header length, a JSON header and the little-endian data."""
    header, offset = {}, 0
    for name, values in tensors.items():
        header[name] = {
            "dtype": "F32", "shape": list(values.shape),
            "data_offsets": [offset, offset + values.nbytes],
        }
        offset += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for values in tensors.values():
            file.write(values.tobytes())


def stated_tensors(lgc, model, folder):
    """Names and shapes of the model's tensors: what lgc misses, which it lists in parts."""
    shapes, weights = {}, folder / "zeros.safetensors"
    while True:
        zeros = {name: numpy.zeros(shape, dtype="<f4") for name, shape in shapes.items()}
        write_safetensors(weights, zeros)
        run = subprocess.run(
            [lgc, "bound", model, "--weights", weights, "--norm", "linf", "--no-search"],
            capture_output=True, text=True,
        )
        found = re.findall(r"there is no tensor (\S+) \(([\d×]+|scalar)\)", run.stderr)
        if not found:
            return shapes
        for name, shape in found:
            shapes[name] = [] if shape == "scalar" else [int(n) for n in shape.split("×")]


def random_tensors(shapes):
    random = numpy.random.default_rng(0)
    tensors = {}
    for name, shape in shapes.items():
        if name.endswith("running_var"):
            values = random.uniform(0.5, 1.5, shape)
        elif len(shape) < 2:
            values = numpy.ones(shape) if name.endswith("weight") else numpy.zeros(shape)
        else:
            fan = math.prod(shape[1:])
            values = random.standard_normal(shape, dtype=numpy.float32) * math.sqrt(2 / fan)
        tensors[name] = numpy.ascontiguousarray(values, dtype="<f4")
    return tensors


def measure(lgc, name, folder):
    model = MODELS / f"{name}.yaml"
    weights = folder / f"{name}.safetensors"
    write_safetensors(weights, random_tensors(stated_tensors(lgc, model, folder)))
    command = [
        lgc, "bound", model, "--weights", weights, "--norm", "l2", "--no-search",
        "--format", "json",
    ]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"{name}: lgc bound failed")
    report = json.loads(output)
    ratios = collections.defaultdict(list)
    for layer in report["layers"]:
        if layer["lower"]:
            ratios[layer["method"]].append(layer["upper"] / layer["lower"])
    print(
        f"{name}: {seconds:.1f} s, {usage.ru_maxrss / 2**20:.2f} GiB, "
        f"bound {report['upper']:.4g} ({report['method']})"
    )
    for method, values in ratios.items():
        print(f"  {method}: {len(values)} layers, upper / lower at most {max(values):.7f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", default=".build/release/lgc")
    parser.add_argument("--only", choices=["vgg16", "resnet50"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in [arguments.only] if arguments.only else ["vgg16", "resnet50"]:
            measure(arguments.lgc, name, pathlib.Path(folder))


if __name__ == "__main__":
    main()
