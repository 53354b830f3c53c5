"""Times `lgc bound` of one dense layer against torch.linalg.svdvals in float64.

Both run several times, one after the other, as whole jobs: lgc as a process that reads the file,
proves the bound and prints it; PyTorch as the one call, with the matrix already in memory. Prints
medians, their ratio (above 1: lgc is faster), and how far the bound lies above the singular value.

    python bound_dense.py [--lgc PATH] [--repeat 5] [--size 4096x4096 …]
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy
import torch


def write_safetensors(path, tensors):
    """The format is a header length, a JSON header and the little-endian data."""
    header, data = {}, b""
    for name, values in tensors.items():
        raw = numpy.ascontiguousarray(values, dtype="<f4").tobytes()
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def measure(lgc, folder, rows, columns, repeat):
    generator = torch.Generator().manual_seed(rows * 10007 + columns)
    weight = torch.randn(rows, columns, generator=generator) / columns**0.5
    model, weights = folder / "dense.yaml", folder / "dense.safetensors"
    model.write_text(
        f"lgc: 1\nname: dense\nmodel:\n  input: [{columns}]\n  layers:\n"
        f"    - dense: {{units: {rows}, bias: false, name: fc}}\n"
    )
    write_safetensors(weights, {"fc.weight": weight.numpy()})
    command = [lgc, "bound", model, "--weights", weights, "--norm", "l2", "--format", "json"]
    double = weight.double()

    ours, theirs = [], []
    for _ in range(repeat):
        start = time.perf_counter()
        output = subprocess.run(command, check=True, capture_output=True).stdout
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        sigma = torch.linalg.svdvals(double)[0].item()
        theirs.append(time.perf_counter() - start)
    report = json.loads(output)
    assert report["lower"] <= report["upper"]
    a, b = statistics.median(ours), statistics.median(theirs)
    print(
        f"{rows}x{columns}: lgc bound {a:.3f} s, torch.linalg.svdvals float64 {b:.3f} s, "
        f"ratio {b / a:.2f}; bound / singular value - 1 = {report['upper'] / sigma - 1:.1e}",
        flush=True,
    )


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", default=root / ".build/release/lgc")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--size", nargs="*", default=["512x784", "4096x4096"])
    arguments = parser.parse_args()
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments.size:
            rows, columns = map(int, size.split("x"))
            measure(arguments.lgc, pathlib.Path(folder), rows, columns, arguments.repeat)


if __name__ == "__main__":
    main()
