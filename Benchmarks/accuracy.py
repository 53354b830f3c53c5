"""Test accuracy of a description under lgc and of the same model and recipe in PyTorch.

    python accuracy.py --lgc PATH [--model ../models/quickstart.yaml] [--seeds 0 1 2]

PyTorch gets the same layers, initialisation rule, loss, optimizer, schedule, batch size and number
of epochs, with `torch.nn.utils.parametrizations.spectral_norm` (one power iteration a step) times
the declared bound where the description says `spectral`. Only what the quickstart uses is read.
"""
import argparse, json, math, pathlib, subprocess, sys, tempfile, time

import numpy as np
import torch
import yaml
from torch import nn

from peers_data import fashion_mnist

HERE = pathlib.Path(__file__).resolve().parent


class GroupSort(nn.Module):
    def __init__(self, size=2):
        super().__init__()
        self.size = size

    def forward(self, x):
        return x.view(len(x), -1, self.size).sort(-1).values.view(len(x), -1)


class Scaled(nn.Module):
    """k · W/σ̂ · x + b: the parametrised layer without its bias, times the bound."""

    def __init__(self, inputs, outputs, bound):
        super().__init__()
        dense = nn.Linear(inputs, outputs)
        self.bias = nn.Parameter(dense.bias.detach().clone())
        dense.bias = None
        self.dense = nn.utils.parametrizations.spectral_norm(dense)
        self.bound = bound

    def forward(self, x):
        return self.bound * self.dense(x) + self.bias


def activation(spec):
    kind, arguments = (spec, {}) if isinstance(spec, str) else next(iter(spec.items()))
    if kind == "group_sort":
        return GroupSort((arguments or {}).get("size", 2))
    return {"relu": nn.ReLU, "tanh": nn.Tanh, "abs": lambda: torch.abs}[kind]()


def build(description):
    model = description["model"]
    bound = model.get("lipschitz")
    bound = bound["bound"] if isinstance(bound, dict) else bound
    features, modules = int(np.prod(model["input"])), [nn.Flatten()]
    for item in model["layers"]:
        kind, arguments = (item, {}) if isinstance(item, str) else next(iter(item.items()))
        if kind == "flatten":
            continue
        if kind != "dense":
            modules.append(activation(item))
            continue
        arguments = {"units": arguments} if isinstance(arguments, int) else arguments
        make = (lambda i, o: Scaled(i, o, bound)) if bound else nn.Linear
        modules.append(make(features, arguments["units"]))
        features = arguments["units"]
        if "activation" in arguments:
            modules.append(activation(arguments["activation"]))
    return nn.Sequential(*modules)


def train_torch(description, seed):
    torch.manual_seed(seed)
    torch.set_num_threads(2)
    (x, y), (xt, yt) = fashion_mnist()
    model = build(description)
    section, batch = description["optimizer"], description["train"]["batch"]
    lr, epochs = float(section["lr"]), description["train"]["epochs"]
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    steps = epochs * (len(x) // batch)
    rate = {"cosine": lambda t: (1 + math.cos(math.pi * t / steps)) / 2,
            "linear": lambda t: 1 - t / steps,
            "constant": lambda t: 1.0}[section.get("schedule", "constant")]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    temperature = description["loss"].get("temperature", 1.0)
    started = time.time()
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for i in range(len(x) // batch):
            chosen = order[i * batch : (i + 1) * batch]
            optimizer.zero_grad(set_to_none=True)
            logits = model(x[chosen])
            loss = temperature * nn.functional.cross_entropy(logits / temperature, y[chosen])
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        return (model(xt).argmax(1) == yt).float().mean().item(), time.time() - started


def train_lgc(lgc, model, seed):
    with tempfile.TemporaryDirectory() as folder:
        started = time.time()
        done = subprocess.run(
            [lgc, "train", model, "--out", f"{folder}/run", "--set", f"train.seed={seed}", "--quiet"],
            capture_output=True, text=True)
        seconds = time.time() - started
        if done.returncode not in (0, 1):
            sys.exit(done.stderr)
        run = json.loads(pathlib.Path(f"{folder}/run/run.json").read_text())
        return run["test_accuracy"], seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", required=True)
    parser.add_argument("--model", default=str(HERE.parent / "models" / "quickstart.yaml"))
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    arguments = parser.parse_args()
    description = yaml.safe_load(pathlib.Path(arguments.model).read_text())
    rows = []
    print("seed   lgc accuracy  seconds   PyTorch accuracy  seconds")
    for seed in arguments.seeds:
        ours, our_time = train_lgc(arguments.lgc, arguments.model, seed)
        theirs, their_time = train_torch(description, seed)
        rows.append({"seed": seed, "lgc": ours, "torch": theirs,
                     "lgc_seconds": our_time, "torch_seconds": their_time})
        print(f"{seed:4}   {ours:12.4f}  {our_time:7.1f}   {theirs:16.4f}  {their_time:7.1f}", flush=True)
    gap = np.mean([r["lgc"] for r in rows]) - np.mean([r["torch"] for r in rows])
    print(f"mean difference lgc − PyTorch: {100 * gap:+.2f} percentage points")
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "accuracy.json").write_text(json.dumps(rows, indent=1))


main()
