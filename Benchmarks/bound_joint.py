"""Trains networks on Fashion-MNIST without constraint and proves their Lipschitz bounds (L2).

One row a network: the product of the layers' norms, the joint bound with multipliers in closed form
(fast) and by search (joint), the steepest slope found (lower), and the seconds of each. For chains
of ReLU layers with at most --optimum hidden units it also prints how far `joint` lies above a dual
bound of LipSDP-Neuron: no multipliers whatever can prove less than that. The dual bound comes from a
barrier method written here (numpy), needs no solver, and is a true lower bound only up to the
rounding of float64.

    python bound_joint.py [--lgc PATH] [--epochs 12] [--optimum 700] [--only NAME …]
"""

import argparse
import json
import math
import pathlib
import subprocess
import tempfile

import numpy

CHAINS = {
    "784-64-10": [64],
    "784-128-128-10": [128, 128],
    "784-256-256-10": [256, 256],
    "784-[128x4]-10": [128] * 4,
    "784-[256x4]-10": [256] * 4,
    "784-[128x8]-10": [128] * 8,
}
HEAD = """lgc: 1
name: joint
data: {type: fashion_mnist, range: [0, 1]}
model:
  input: [1, 28, 28]
  layers:
    - flatten
"""
TAIL = """    - dense: {{name: logits, units: 10}}
loss: cross_entropy
optimizer: {{type: adam, lr: 1e-3, schedule: cosine}}
train: {{epochs: {epochs}, batch: 128, seed: 0}}
targets:
  - lipschitz: {{norm: l2, report: true}}
"""
RESIDUAL = """    - dense: {name: stem, units: 128}
    - repeat:
        name: body
        times: 3
        layers:
          - residual:
              name: block
              mode: sum
              layers:
                - dense: {name: fc1, units: 128, activation: relu}
                - dense: {name: fc2, units: 128}
"""


def description(name, epochs):
    if name == "residual":
        body = RESIDUAL
    else:
        body = "".join(
            f"    - dense: {{name: fc{i + 1}, units: {units}, activation: relu}}\n"
            for i, units in enumerate(CHAINS[name])
        )
    return HEAD + body + TAIL.format(epochs=epochs)


def read_safetensors(path):
    raw = pathlib.Path(path).read_bytes()
    size = int.from_bytes(raw[:8], "little")
    tensors = {}
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name != "__metadata__":
            start, end = (8 + size + offset for offset in entry["data_offsets"])
            values = numpy.frombuffer(raw[start:end], dtype="<f4")
            tensors[name] = values.reshape(entry["shape"]).astype(float)
    return tensors


def dual_bound(weights, gap=1e-4, steps=250):
    """A lower bound of what LipSDP-Neuron can prove of a ReLU chain, with slopes in [0, 1].

    Minimises t·s − log det P(λ, s) with Newton's method while t grows. P = P₀ + Σ λᵢ(eᵢqᵢᵀ + qᵢeᵢᵀ)
    + s·E. Where the gradient is zero, X = P⁻¹/t is feasible for the dual, whose value is s − N/t.
    """
    first = weights[0]
    if first.shape[0] < first.shape[1]:
        gram = first @ first.T
        first = numpy.linalg.cholesky(gram + 1e-14 * numpy.trace(gram) * numpy.eye(len(gram)))
    chain = [first] + weights[1:]
    scales = [numpy.linalg.norm(w, 2) for w in chain]
    chain = [w / s for w, s in zip(chain, scales)]
    sizes = [chain[0].shape[1]] + [w.shape[0] for w in chain]
    ends = numpy.cumsum([0] + sizes)
    order, count = ends[-1], sum(sizes[1:-1])
    hidden, output = slice(ends[1], ends[-2]), slice(ends[-2], ends[-1])
    rows = numpy.zeros((order, count))
    rows[hidden] = numpy.eye(count)
    inputs, place = numpy.zeros((order, count)), 0
    for k, w in enumerate(chain[:-1]):
        inputs[ends[k] : ends[k + 1], place : place + len(w)] = w.T
        place += len(w)
    q = rows - inputs

    def matrix(multipliers, square):
        half = (rows * multipliers) @ q.T
        p = half + half.T
        p[: ends[1], : ends[1]] += numpy.eye(ends[1])
        p[output, ends[-3] : ends[-2]] += chain[-1]
        p[ends[-3] : ends[-2], output] += chain[-1].T
        p[output, output] += square * numpy.eye(sizes[-1])
        return p

    def barrier(multipliers, square, t):
        try:
            root = numpy.linalg.cholesky(matrix(multipliers, square))
        except numpy.linalg.LinAlgError:
            return math.inf
        return t * square - 2 * numpy.log(numpy.diag(root)).sum()

    multipliers, bound = [], None
    for w in chain[:-1]:
        b = w @ w.T if bound is None else w @ bound @ w.T
        top = numpy.linalg.eigvalsh(b)[-1]
        bound = top * top * numpy.linalg.inv(2 * top * numpy.eye(len(b)) - b)
        multipliers += [1 / top] * len(b)
    multipliers = numpy.array(multipliers)
    square = 1.5 * numpy.linalg.eigvalsh(chain[-1] @ bound @ chain[-1].T)[-1]
    t = None
    for _ in range(steps):
        inverse = numpy.linalg.inv(matrix(multipliers, square))
        iq = inverse @ q
        mixed, corner = iq[hidden], inverse[output, output]
        gradient = numpy.append(-2 * numpy.diag(mixed), -numpy.trace(corner))
        hessian = numpy.empty((count + 1, count + 1))
        hessian[:-1, :-1] = 2 * (inverse[hidden, hidden] * (q.T @ iq) + mixed * mixed.T)
        hessian[-1, :-1] = 2 * (inverse[output, hidden] * iq[output]).sum(0)
        hessian[:-1, -1] = hessian[-1, :-1]
        hessian[-1, -1] = (corner * corner).sum()
        t = t or -gradient[-1]
        while True:
            total = gradient.copy()
            total[-1] += t
            step = -numpy.linalg.solve(hessian, total)
            decrement = math.sqrt(max(-total @ step, 0))
            if decrement < 0.5 and order / t > gap * square:
                t *= 4
                continue
            break
        if decrement < 1e-5:
            return math.sqrt(max(square - order / t, 0)) * math.prod(scales)
        length, start = 1.0, barrier(multipliers, square, t)
        while barrier(multipliers + length * step[:-1], square + length * step[-1], t) > start:
            length /= 2
            if length < 1e-8:
                return None
        multipliers, square = multipliers + length * step[:-1], square + length * step[-1]
    return None


def run(lgc, *arguments, folder):
    return subprocess.run(
        [lgc, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lgc", default=".build/release/lgc", type=pathlib.Path)
    parser.add_argument("--epochs", default=12, type=int)
    parser.add_argument("--optimum", default=700, type=int)
    parser.add_argument("--only", nargs="*", choices=[*CHAINS, "residual"])
    options = parser.parse_args()
    lgc = options.lgc.resolve()
    print(
        f"{'network':15s} {'product':>9s} {'fast':>7s} {'joint':>7s} {'lower':>7s}  "
        f"{'joint/lower':>11s}  {'joint/optimum - 1':>17s}  seconds (product, fast, joint, all)"
    )
    for name in options.only or [*CHAINS, "residual"]:
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "net.yaml").write_text(description(name, options.epochs))
            run(lgc, "train", "net.yaml", folder=folder)
            report = json.loads(run(lgc, "bound", "--format", "json", folder=folder))
            uppers = {m["method"]: m["upper"] for m in report["methods"]}
            seconds = {m["method"]: m["seconds"] for m in report["methods"]}
            assert report["lower"] <= report["upper"] <= min(uppers.values())
            assert uppers["joint"] <= uppers["fast"]
            excess = ""
            if name != "residual" and sum(CHAINS[name]) <= options.optimum:
                stored = read_safetensors(next(pathlib.Path(folder, "runs").glob("*/weights*")))
                layers = [f"fc{i + 1}" for i in range(len(CHAINS[name]))] + ["logits"]
                least = dual_bound([stored[f"{layer}.weight"] for layer in layers])
                excess = f"{uppers['joint'] / least - 1:.1e}" if least else "no optimum"
        product = uppers["product"]
        times = [seconds[m] for m in ("product", "fast", "joint")] + [report["seconds"]]
        print(
            f"{name:15s} {product:9.2f} {uppers['fast'] / product:6.3f}x "
            f"{uppers['joint'] / product:6.3f}x {report['lower'] / product:6.3f}x  "
            f"{uppers['joint'] / report['lower']:11.4f}  {excess:>17s}  "
            + ", ".join(f"{t:.3f}" for t in times),
            flush=True,
        )


if __name__ == "__main__":
    main()
