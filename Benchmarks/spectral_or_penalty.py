"""Spectral normalisation against the gradient penalty: time of a step, and quality at equal steps and
at equal time.

    python spectral_or_penalty.py --lgc PATH [--seeds 3] [--only DATA …]

Of WGAN on the eight Gaussians and on Fashion-MNIST, as they are and by class, in lgc alone. The networks, the critic's steps,
the optimizer and the data are the same; only what holds the critic differs. Steps are timed first, in
turns (of two runs, one twice as long, the difference: measuring and starting cost the same in both);
equal time is as many steps with the spectral norm as take as long as the run with the penalty. With
--timing nothing else is done, and the times are kept for the next call with --timed. Writes
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
    "eight Gaussians by class": (
        "conditional_spectral_8gaussians", "conditional_gp_8gaussians", 3000),
    "Fashion-MNIST by class": ("fashion_conditional_spectral", "fashion_conditional_gp", 1000),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=list(PAIRS), default=list(PAIRS))
    parser.add_argument("--rounds", type=int, default=3, help="of the timing")
    parser.add_argument("--timing", action="store_true")
    parser.add_argument("--timed", action="store_true")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "spectral_or_penalty.json"
    rates = json.loads(path.read_text()) if path.exists() else {}
    if not arguments.timed:
        rates |= timing(arguments)
    path.write_text(json.dumps(rates, indent=1))
    if arguments.timing:
        return print(rates)
    lines = [
        "| data | control | ms a step | steps | s | W1, or Fréchet classifier distance | as asked "
        "| K proved |", "|---|---|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        judge = folder / "judge"
        train(arguments, "feature_classifier", judge)
        for data in arguments.only:
            spectral, penalty, steps = PAIRS[data]
            equal = round_to(steps * rates[penalty] / rates[spectral])
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
                asked = ", ".join(f"{100 * as_asked(r):.1f} %" for r in found if as_asked(r)) or "–"
                bounds = ", ".join(f"{r['critic_bounds']['l2']:.3g}" for r in found)
                lines.append(
                    f"| {data} | {label} | {1000 * rates[name]:.2f} | {count} "
                    f"| {rates[name] * count:.1f} | {quality} | {asked} | {bounds} |")
                print(lines[-1], flush=True)
    text = "\n".join(lines) + "\n"
    (RESULTS / "spectral_or_penalty.md").write_text(text)
    print("\n" + text)


def timing(arguments):
    """Seconds of a step, by name."""
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        for spectral, penalty, steps in (PAIRS[data] for data in arguments.only):
            found = {spectral: [], penalty: []}
            for round in range(arguments.rounds):
                for name in found:
                    seconds = [
                        train(arguments, name, pathlib.Path(folder, f"{name}-{round}-{count}"),
                              "--set", f"train.steps={count}")["training_seconds"]
                        for count in (steps // 10, steps // 5)]
                    found[name].append((seconds[1] - seconds[0]) / (steps // 5 - steps // 10))
            rates |= {name: statistics.median(times) for name, times in found.items()}
    return rates


def round_to(steps):
    return max(100, int(round(steps, -2)))


def value(record):
    images = record.get("images")
    return images["frechet_classifier_distance"] if images else record["wasserstein"]


def as_asked(record):
    """The share of samples of the class asked for; None where none is."""
    return (record.get("images") or record).get("as_asked")


def train(arguments, name, folder, *extra):
    subprocess.run(
        [arguments.lgc, "train", MODELS / f"{name}.yaml", "--quiet", "--out", folder,
         "--threads", str(arguments.threads), *map(str, extra)], check=True, capture_output=True)
    return json.loads((folder / "run.json").read_text())


if __name__ == "__main__":
    main()
