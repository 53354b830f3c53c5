"""The recipe of models/gan/fashion_wgan_gp.yaml in lgc and in PyTorch, by the same measure.

    python fashion_gan.py --lgc PATH [--seeds 3] [--steps N]

Trains models/gan/feature_classifier.yaml with lgc once, then the generator with each seed by both,
from the same distributions of initial weights. The Fréchet distance of both is computed here, in
float64, in the features of that one classifier, whose weights PyTorch reads; lgc's own figure for
its samples stands beside it. Writes results/fashion_gan.json and results/fashion_gan.md; exits with 1
if the median of lgc's distances is more than 1.1 times PyTorch's.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent / "models" / "gan"
RESULTS = HERE / "results"
NOISE, BATCH, CRITIC_STEPS, WEIGHT, RATE, BETAS = 64, 64, 3, 10, 4e-4, (0.0, 0.9)
STEPS, COUNT = 1000, 10_000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run = lambda *words: subprocess.run(
            [arguments.lgc, *map(str, words)], check=True, capture_output=True, text=True)
        run("train", MODELS / "feature_classifier.yaml", "--quiet", "--out", folder / "judge")
        judge = Judge(folder / "judge" / "weights.safetensors")
        rows = []
        for seed in range(arguments.seeds):
            run("train", MODELS / "fashion_wgan_gp.yaml", "--quiet", "--out", folder / f"{seed}",
                "--classifier", folder / "judge", "--set", f"train.seed={seed}",
                "--set", f"train.steps={arguments.steps}",
                "--threads", arguments.threads)
            run("sample", folder / f"{seed}", "--count", COUNT, "--seed", seed, "--out",
                folder / "samples.npy")
            record = json.loads((folder / f"{seed}" / "run.json").read_text())
            samples = np.load(folder / "samples.npy")
            start = time.perf_counter()
            peer = train(seed, arguments.steps, arguments.threads)
            seconds = time.perf_counter() - start
            row = {
                "seed": seed, "lgc": judge.distance(samples), "torch": judge.distance(peer),
                "lgc_by_itself": record["images"]["frechet_classifier_distance"],
                "lgc_entropy": judge.entropy(samples), "torch_entropy": judge.entropy(peer),
                "lgc_seconds": record["training_seconds"], "torch_seconds": seconds}
            print(row, flush=True)
            rows.append(row)
    ratio = statistics.median(r["lgc"] for r in rows) / statistics.median(r["torch"] for r in rows)
    RESULTS.mkdir(exist_ok=True)
    result = {"floor": judge.floor, "ratio": ratio, "rows": rows}
    (RESULTS / "fashion_gan.json").write_text(json.dumps(result, indent=1))
    lines = [
        "| seed | lgc | PyTorch | lgc, by itself | entropy | entropy, PyTorch | seconds | seconds, "
        "PyTorch |", "|---|---|---|---|---|---|---|---|"]
    lines += [
        "| {seed} | {lgc:.2f} | {torch:.2f} | {lgc_by_itself:.2f} | {lgc_entropy:.3f} "
        "| {torch_entropy:.3f} | {lgc_seconds:.1f} | {torch_seconds:.1f} |".format(**r)
        for r in rows]
    lines.append(
        f"\nTraining against test samples {judge.floor:.3f}; medians lgc / PyTorch {ratio:.2f}.")
    text = "\n".join(lines) + "\n"
    (RESULTS / "fashion_gan.md").write_text(text)
    print("\n" + text)
    sys.exit(0 if ratio <= 1.1 else 1)


def images(name):
    import given

    x = given.read(f"{name}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
    return (x.astype(np.float32) * 2 / 255) - 1


class Judge:
    """models/gan/feature_classifier.yaml with lgc's weights."""

    def __init__(self, weights):
        import torch
        from safetensors.numpy import load_file

        self.weights = {k: torch.from_numpy(v) for k, v in load_file(weights).items()}
        test, train = images("t10k")[:COUNT], images("train")[:COUNT]
        self.test = self.moments(self.features(test)[0])
        self.floor = frechet(self.moments(self.features(train)[0]), self.test)

    def features(self, x):
        import torch
        from torch.nn import functional as F

        w = self.weights
        features, scores = [], []
        with torch.no_grad():
            for part in torch.from_numpy(x).split(500):
                h = F.relu(F.conv2d(part, w["conv1.weight"], w["conv1.bias"], 2, 1))
                h = F.relu(F.conv2d(h, w["conv2.weight"], w["conv2.bias"], 2, 1)).flatten(1)
                h = F.relu(F.linear(h, w["features.weight"], w["features.bias"]))
                features.append(h)
                scores.append(F.linear(h, w["logits.weight"], w["logits.bias"]))
        return torch.cat(features).double().numpy(), torch.cat(scores).argmax(1).numpy()

    @staticmethod
    def moments(rows):
        return rows.mean(0), np.cov(rows, rowvar=False)

    def distance(self, x):
        return frechet(self.moments(self.features(x)[0]), self.test)

    def entropy(self, x):
        p = np.bincount(self.features(x)[1], minlength=10) / len(x)
        return float(-(p[p > 0] * np.log(p[p > 0])).sum())


def frechet(a, b):
    """‖m − m'‖² + tr C + tr C' − 2·tr (√C·C'·√C)^½"""
    def root(c):
        values, vectors = np.linalg.eigh((c + c.T) / 2)
        return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T

    left = root(a[1])
    return float(
        ((a[0] - b[0]) ** 2).sum() + np.trace(a[1]) + np.trace(b[1])
        - 2 * np.trace(root(left @ b[1] @ left)))


def train(seed, steps, threads):
    """The recipe as a PyTorch user would write it; samples of the generator."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    data = torch.from_numpy(images("train"))
    generator = nn.Sequential(
        nn.Linear(NOISE, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 784),
        nn.Tanh(), nn.Unflatten(1, (1, 28, 28)))
    critic = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256),
        nn.LeakyReLU(0.2), nn.Linear(256, 1))
    optimizers = [torch.optim.Adam(n.parameters(), RATE, BETAS) for n in (generator, critic)]
    order = iter(())

    def batch():
        nonlocal order
        rows = next(order, None)
        if rows is None or len(rows) < BATCH:
            order = iter(torch.randperm(len(data)).split(BATCH))
            rows = next(order)
        return data[rows]

    for step in range(steps):
        # Constant for the first half, then linear to 0.
        rate = RATE * min(1, 2 * (1 - step / steps))
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = rate
        for _ in range(CRITIC_STEPS):
            real = batch()
            with torch.no_grad():
                fake = generator(torch.randn(BATCH, NOISE))
            epsilon = torch.rand(BATCH, 1, 1, 1)
            between = (fake + epsilon * (real - fake)).requires_grad_(True)
            gradient, = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
            penalty = ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()
            loss = critic(fake).mean() - critic(real).mean() + WEIGHT * penalty
            optimizers[1].zero_grad()
            loss.backward()
            optimizers[1].step()
        loss = -critic(generator(torch.randn(BATCH, NOISE))).mean()
        optimizers[0].zero_grad()
        loss.backward()
        optimizers[0].step()
    with torch.no_grad():
        return generator(torch.randn(COUNT, NOISE)).numpy()


if __name__ == "__main__":
    main()
