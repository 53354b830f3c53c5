"""What a constraint costs: the training step of one dense layer 784→512 at batch 128, Adam, with it
over the step without it, of lgc and of the PyTorch ways to the same.

    python constraint_overhead.py --lgc PATH [--rounds 5] [--threads 2]

All stay alive and are asked in turn for some steps, so that a slow window of the machine hits all
alike; a ratio is the median over the rounds of the ratio to the same program's unconstrained step in
that round. deel-torchlip is measured where it is installed (pip install deel-torchlip).
"""
import argparse
import json
import pathlib
import statistics
import sys
import tempfile
import time

from competitor import Competitor

BATCH, INPUTS, UNITS = 128, 784, 512
LGC = {
    "none": None,
    "weight_norm": "{type: weight_norm}",
    "clip": "{type: clip, c: 0.02}",
    "spectral": "{type: spectral}",
    "orthogonal (bjorck, after update)": "{type: orthogonal}",
    "orthogonal (bjorck, lazy)": "{type: orthogonal, apply: lazy}",
    "orthogonal (bjorck, forward)": "{type: orthogonal, apply: forward}",
    "orthogonal (cayley)": "{type: orthogonal, method: cayley}",
    "orthogonal (exponential)": "{type: orthogonal, method: exponential}",
    "almost_orthogonal": "{type: almost_orthogonal}",
    "almost_orthogonal (outputs)": "{type: almost_orthogonal, of: outputs}",
}
TORCH = ["none", "spectral_norm", "orthogonal (householder)", "orthogonal (cayley)",
         "orthogonal (matrix_exp)", "deel-torchlip SpectralLinear"]
# Upper limits of the ratio.
LIMITS = {"spectral": 1.15, "orthogonal (bjorck, after update)": 2.0}


def description(constraint):
    bounded = constraint and "weight_norm" not in constraint and "clip" not in constraint
    return f"""lgc: 1
name: overhead
data: {{type: fashion_mnist, range: [0, 1], shuffle: false}}
model:
  input: [1, 28, 28]
  lipschitz: {"1.0" if bounded else "unconstrained"}
  constraint: {constraint or "none"}
  layers:
    - flatten
    - dense: {{name: fc, units: {UNITS}}}
loss: {{family: cross_entropy}}
optimizer: {{type: adam, lr: 1e-3}}
train: {{epochs: 1, batch: {BATCH}, seed: 0}}
"""


def peer(name, threads):
    """One PyTorch layer, one line of JSON for each line `run N`."""
    import torch
    from torch import nn
    from torch.nn.utils import parametrizations

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    layer = nn.Linear(INPUTS, UNITS)
    if name == "spectral_norm":
        layer = parametrizations.spectral_norm(layer)
    elif name.startswith("orthogonal"):
        layer = parametrizations.orthogonal(layer, orthogonal_map=name[12:-1])
    elif name.startswith("deel"):
        try:
            from deel.torchlip import SpectralLinear
        except ImportError as error:
            print(json.dumps({"unsupported": str(error)}), flush=True)
            return
        layer = SpectralLinear(INPUTS, UNITS)
    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-3, fused=True)
    criterion = nn.CrossEntropyLoss()
    x = torch.rand(BATCH, INPUTS)
    y = torch.randint(0, 10, (BATCH,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(layer(x), y)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    step()
    print(json.dumps({"ready": torch.__version__}), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line.split()[1])):
            start = time.perf_counter()
            step()
            times.append((time.perf_counter() - start) * 1e3)
        print(json.dumps({"milliseconds": times}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peer")
    arguments = parser.parse_args()
    if arguments.peer:
        return peer(arguments.peer, arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        groups = {"lgc": {}, "PyTorch": {}}
        for index, (name, constraint) in enumerate(LGC.items()):
            path = pathlib.Path(folder) / f"{index}.yaml"
            path.write_text(description(constraint))
            groups["lgc"][name] = Competitor(name, [
                arguments.lgc, "measure-step", path, "--threads", arguments.threads, "--stdin"])
        for name in TORCH:
            competitor = Competitor(name, [
                sys.executable, __file__, "--peer", name, "--threads", arguments.threads])
            if "unsupported" in (competitor.read() or {"unsupported": ""}):
                print(f"{name}: not installed")
                competitor.close()
            else:
                groups["PyTorch"][name] = competitor
        steps = {}
        for members in groups.values():
            for name, competitor in members.items():
                first = statistics.median(competitor.run(4)["milliseconds"])
                steps[competitor] = max(3, min(60, int(60 / first)))
        for _ in range(arguments.rounds):
            for members in groups.values():
                for competitor in members.values():
                    times = competitor.run(steps[competitor])["milliseconds"]
                    competitor.rounds.append(statistics.median(times))
        print(f"\ndense {INPUTS}→{UNITS}, batch {BATCH}, {arguments.threads} threads: a step's time "
              "over the unconstrained one")
        for group, members in groups.items():
            base = members["none"].rounds
            for name, competitor in members.items():
                ratio = statistics.median(a / b for a, b in zip(competitor.rounds, base))
                limit = LIMITS.get(name) if group == "lgc" else None
                verdict = "" if limit is None else (
                    f"at most {limit}: " + ("met" if ratio <= limit else "NOT MET"))
                print(f"  {group:8} {name:36} {statistics.median(competitor.rounds):9.3f} ms "
                      f"{ratio:8.2f}×  {verdict}")
                competitor.close()


if __name__ == "__main__":
    main()
