"""Spectral normalisation against the gradient penalty: time of a step, and quality at equal steps and
at equal time.

    python spectral_or_penalty.py --lgc PATH [--seeds 3]

Of WGAN on the eight Gaussians and on Fashion-MNIST, in lgc alone. The networks, the critic's steps,
the optimizer and the data are the same; only what holds the critic differs. Equal time is as many
steps of the faster one as take as long as the other's run, timed beforehand in turns. Writes
results/spectral_or_penalty.md.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent / "models" / "gan"
RESULTS = HERE / "results"
PAIRS = {
    "eight Gaussians": ("wgan_spectral_8gaussians", "wgan_gp_8gaussians", 3000),
    "Fashion-MNIST, dense": ("fashion_wgan_spectral", "fashion_wgan_gp", 1000),
}
ROUNDS = 5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    lines = [
        "| data | control | ms a step | steps | s | W1, or Fréchet classifier distance | K proved |",
        "|---|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        judge = folder / "judge"
        train(arguments, "feature_classifier", judge)
        for data, (spectral, penalty, steps) in PAIRS.items():
            rates = {spectral: [], penalty: []}
            for round in range(ROUNDS):
                for name in rates:
                    record = train(
                        arguments, name, folder / f"time-{name}-{round}",
                        "--set", f"train.steps={max(20, steps // 20)}")
                    rates[name].append(record["training_seconds"] / record["steps_done"])
            rate = {name: statistics.median(found) for name, found in rates.items()}
            equal = round_to(steps * rate[penalty] / rate[spectral])
            runs = [("spectral", spectral, steps), ("penalty", penalty, steps)]
            runs.append(("spectral, equal time", spectral, equal))
            for label, name, count in runs:
                found = []
                for seed in range(arguments.seeds):
                    extra = ["--classifier", judge] if "fashion" in name else []
                    found.append(train(
                        arguments, name, folder / f"{name}-{count}-{seed}", *extra,
                        "--set", f"train.steps={count}", "--set", f"train.seed={seed}"))
                quality = ", ".join(f"{value(r):.3g}" for r in found)
                bounds = ", ".join(f"{r['critic_bounds']['l2']:.3g}" for r in found)
                lines.append(
                    f"| {data} | {label} | {1000 * rate[name]:.2f} | {count} "
                    f"| {rate[name] * count:.1f} | {quality} | {bounds} |")
                print(lines[-1], flush=True)
    text = "\n".join(lines) + "\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "spectral_or_penalty.md").write_text(text)
    print("\n" + text)


def round_to(steps):
    return max(100, int(round(steps, -2)))


def value(record):
    images = record.get("images")
    return images["frechet_classifier_distance"] if images else record["wasserstein"]


def train(arguments, name, folder, *extra):
    subprocess.run(
        [arguments.lgc, "train", MODELS / f"{name}.yaml", "--quiet", "--out", folder,
         "--threads", str(arguments.threads), *map(str, extra)], check=True, capture_output=True)
    return json.loads((folder / "run.json").read_text())


if __name__ == "__main__":
    main()
