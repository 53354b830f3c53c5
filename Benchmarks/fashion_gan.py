"""The recipe of models/gan/fashion_wgan_gp.yaml in lgc and in PyTorch, by the same measure.

    python fashion_gan.py --lgc PATH [--seeds 5] [--steps N] [--judge RUN]

First both take a few steps from the same numbers: PyTorch gets lgc's initial weights, noise,
coefficients of interpolation and order of samples, and its losses must be lgc's but for rounding.
Then, with each seed, lgc, PyTorch with lgc's numbers, and PyTorch with its own from the same
distributions train the generator to the end, where rounding has made three runs of one. The Fréchet
distance of all is computed here, in float64, in the features of one classifier,
models/gan/feature_classifier.yaml trained by lgc, whose weights PyTorch reads; lgc's own figure for
its samples stands beside it. Writes results/fashion_gan.json and results/fashion_gan.md; exits with
1 if a loss differs, or the mean of lgc's distances is more than 1.1 times PyTorch's.
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

import shuffle

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent / "models" / "gan"
RESULTS = HERE / "results"
NOISE, BATCH, CRITIC_STEPS, WEIGHT, RATE, BETAS = 64, 64, 3, 10, 4e-4, (0.0, 0.9)
STEPS, COUNT = 1000, 10_000
# Of the comparison from the same numbers: the steps of both runs, those compared (later ones
# differ by more and more, as any two runs whose roundings differ), and by how much at most.
FEW, COMPARED, TOLERANCE = 20, 10, 1e-4


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--judge", type=pathlib.Path, help="a run of the classifier")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run = lambda *words: subprocess.run(
            [arguments.lgc, *map(str, words)], check=True, capture_output=True, text=True)
        difference = same_numbers(arguments, folder / "few", run)
        print(f"first {COMPARED} steps from the same numbers: losses within {difference:.1e}")
        classifier = arguments.judge or folder / "judge"
        if not arguments.judge:
            run("train", MODELS / "feature_classifier.yaml", "--quiet", "--out", classifier)
        judge = Judge(classifier / "weights.safetensors")
        rows = []
        for seed in range(arguments.seeds):
            run("train", MODELS / "fashion_wgan_gp.yaml", "--quiet", "--out", folder / f"{seed}",
                "--classifier", classifier, "--set", f"train.seed={seed}",
                "--set", f"train.steps={arguments.steps}",
                "--threads", arguments.threads)
            run("sample", folder / f"{seed}", "--count", COUNT, "--seed", seed, "--out",
                folder / "samples.npy")
            record = json.loads((folder / f"{seed}" / "run.json").read_text())
            samples = np.load(folder / "samples.npy")
            start = time.perf_counter()
            peer, _ = train(Own(seed), arguments.steps, arguments.threads)
            seconds = time.perf_counter() - start
            twin, _ = train(Given(seed), arguments.steps, arguments.threads)
            row = {
                "seed": seed, "lgc": judge.distance(samples), "torch": judge.distance(peer),
                "twin": judge.distance(twin),
                "lgc_by_itself": record["images"]["frechet_classifier_distance"],
                "lgc_entropy": judge.entropy(samples), "torch_entropy": judge.entropy(peer),
                "lgc_seconds": record["training_seconds"], "torch_seconds": seconds}
            print(row, flush=True)
            rows.append(row)
    found = {key: [r[key] for r in rows] for key in ("lgc", "twin", "torch")}
    ratio = statistics.mean(found["lgc"]) / statistics.mean(found["torch"])
    RESULTS.mkdir(exist_ok=True)
    result = {"floor": judge.floor, "ratio": ratio, "difference": difference, "rows": rows}
    (RESULTS / "fashion_gan.json").write_text(json.dumps(result, indent=1))
    lines = [
        "| seed | lgc | PyTorch, lgc's numbers | PyTorch | lgc, by itself | entropy "
        "| entropy, PyTorch | seconds | seconds, PyTorch |",
        "|---|---|---|---|---|---|---|---|---|"]
    lines += [
        "| {seed} | {lgc:.2f} | {twin:.2f} | {torch:.2f} | {lgc_by_itself:.2f} | {lgc_entropy:.3f} "
        "| {torch_entropy:.3f} | {lgc_seconds:.1f} | {torch_seconds:.1f} |".format(**r)
        for r in rows]
    lines.append("| mean | " + " | ".join(map(spread, found.values())) + " | | | | | |")
    lines.append(
        f"\nTraining against test samples {judge.floor:.3f}; means lgc / PyTorch {ratio:.2f}.")
    text = "\n".join(lines) + "\n"
    (RESULTS / "fashion_gan.md").write_text(text)
    print("\n" + text)
    sys.exit(0 if ratio <= 1.1 and difference <= TOLERANCE else 1)


def spread(values):
    deviation = statistics.stdev(values) if len(values) > 1 else 0
    return f"{statistics.mean(values):.2f} ± {deviation:.2f}"


def same_numbers(arguments, folder, run):
    """The largest difference of the critic's losses, as a share of them."""
    run("train", MODELS / "fashion_wgan_gp.yaml", "--quiet", "--out", folder,
        "--set", f"train.steps={FEW}", "--threads", arguments.threads)
    # So few steps have a line of metrics each.
    lines = [json.loads(l) for l in (folder / "metrics.jsonl").read_text().splitlines()]
    _, losses = train(Given(0), FEW, arguments.threads)
    pairs = zip((l["critic_loss"] for l in lines[:COMPARED]), losses)
    return max(abs(a - b) / max(1, abs(b)) for a, b in pairs)


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


class Own:
    """PyTorch's numbers."""

    def __init__(self, seed):
        import torch

        torch.manual_seed(seed)
        self.torch = torch

    def initialise(self, generator, critic):
        """As PyTorch has done it: weights and biases uniform on ±1/√inputs."""

    def order(self, epoch, count):
        return self.torch.randperm(count)

    def noise(self, stream, step):
        return self.torch.randn(BATCH, NOISE)

    def coefficients(self, step):
        return self.torch.rand(BATCH)

    def samples(self):
        return self.torch.randn(COUNT, NOISE)


class Given:
    """lgc's, of the same distributions."""

    def __init__(self, seed):
        import torch

        self.seed, self.torch = seed, torch

    def initialise(self, generator, critic):
        from torch import nn

        for name, network in (("generator", generator), ("critic", critic)):
            layers = [layer for layer in network if isinstance(layer, nn.Linear)]
            for number, layer in enumerate(layers, 1):
                for tensor, values in (("weight", layer.weight), ("bias", layer.bias)):
                    u = shuffle.uniform(
                        self.seed, f"{name}.dense_{number}.{tensor}", values.numel())
                    u = ((2 * u - 1) / layer.in_features**0.5).astype(np.float32)
                    values.data.copy_(self.torch.from_numpy(u.reshape(values.shape)))

    def order(self, epoch, count):
        return self.torch.from_numpy(shuffle.order(self.seed, epoch, count))

    def noise(self, stream, step):
        u, v = (
            shuffle.step_uniform(self.seed, f"{stream} noise {part}", step, BATCH * NOISE)
            for part in "uv")
        return self.torch.from_numpy(shuffle.normal(u, v).reshape(BATCH, NOISE))

    def coefficients(self, step):
        return self.torch.from_numpy(
            shuffle.step_uniform(self.seed, "interpolation", step, BATCH))

    def samples(self):
        u = shuffle.uniform(self.seed, "samples", 2 * COUNT * NOISE).reshape(-1, 2)
        return self.torch.from_numpy(shuffle.normal(u[:, 0], u[:, 1]).reshape(COUNT, NOISE))


def train(numbers, steps, threads):

    """The recipe as a PyTorch user would write it: samples of the generator, and of each step the
    mean of the critic's losses."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    data = torch.from_numpy(images("train"))
    generator = nn.Sequential(
        nn.Linear(NOISE, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 784),
        nn.Tanh(), nn.Unflatten(1, (1, 28, 28)))
    critic = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256),
        nn.LeakyReLU(0.2), nn.Linear(256, 1))
    optimizers = [torch.optim.Adam(n.parameters(), RATE, BETAS) for n in (generator, critic)]
    numbers.initialise(generator, critic)
    order, epoch, critic_step, losses = iter(()), 0, 0, []

    def batch():
        nonlocal order, epoch
        rows = next(order, None)
        if rows is None or len(rows) < BATCH:
            order = iter(numbers.order(epoch, len(data)).split(BATCH))
            epoch += 1
            rows = next(order)
        return data[rows]

    for step in range(steps):
        # Constant for the first half, then linear to 0.
        rate = RATE * min(1, 2 * (1 - step / steps))
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = rate
        losses.append(0)
        for _ in range(CRITIC_STEPS):
            real = batch()
            with torch.no_grad():
                fake = generator(numbers.noise("critic", critic_step))
            epsilon = numbers.coefficients(critic_step).reshape(BATCH, 1, 1, 1)
            critic_step += 1
            between = (fake + epsilon * (real - fake)).requires_grad_(True)
            gradient, = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
            penalty = ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()
            loss = critic(fake).mean() - critic(real).mean() + WEIGHT * penalty
            optimizers[1].zero_grad()
            loss.backward()
            optimizers[1].step()
            losses[-1] += loss.item() / CRITIC_STEPS
        loss = -critic(generator(numbers.noise("generator", step))).mean()
        optimizers[0].zero_grad()
        loss.backward()
        optimizers[0].step()
    with torch.no_grad():
        return generator(numbers.samples()).numpy(), losses


if __name__ == "__main__":
    main()
