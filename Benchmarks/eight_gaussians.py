"""Every family on the eight Gaussians: modes, Wasserstein distance, and what is proved of the critic.

    python eight_gaussians.py --lgc PATH [--seeds 3] [--only NAME …] [--steps N]

Trains models/gan/NAME_8gaussians.yaml with each seed and adds the runs to
results/eight_gaussians.json, of which results/eight_gaussians.md is made. Exits with 1 if a family
that must reach all modes within twice the floor does not, or one that must fail does not fail.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent / "models" / "gan"
RESULTS = HERE / "results"
SUFFIX = "_8gaussians"
# 8 of 8 modes, none below a fifth of its share, and W1 < 2 × floor, with every seed.
MUST_WORK = ["wgan_spectral", "wgan_gp", "sgan_spectral", "gan_qp", "hinge_spectral"]
# Without control: they lose modes, or stay far from the data.
MUST_FAIL = ["wgan_unconstrained", "sgan_unconstrained", "f_gan_kl_unconstrained"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--steps", type=int, help="instead of each description's own")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    names = sorted(p.stem.removesuffix(SUFFIX) for p in MODELS.glob(f"*{SUFFIX}.yaml"))
    names = MUST_WORK + [n for n in names if n not in MUST_WORK]
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "eight_gaussians.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for name in arguments.only or names:
        results[name] = [train(arguments, name, seed) for seed in range(arguments.seeds)]
        path.write_text(json.dumps(results, indent=1))
        print(row(name, results[name]), flush=True)
    known = [n for n in names if n in results]
    text = "\n".join(HEAD + [row(name, results[name]) for name in known]) + "\n"
    (RESULTS / "eight_gaussians.md").write_text(text)
    print("\n" + text)
    for name in known:
        for run in results[name]:
            if run.get("failure"):
                print(f"{name}, seed {run['seed']}: {run['failure']}")
    wrong = [n for n in MUST_WORK if n in results and not all(map(works, results[n]))]
    wrong += [n for n in MUST_FAIL if n in results and any(map(works, results[n]))]
    for name in wrong:
        print(f"{name}: not as it must be", file=sys.stderr)
    sys.exit(1 if wrong else 0)


def train(arguments, name, seed):
    """A run's run.json."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            arguments.lgc, "train", MODELS / f"{name}{SUFFIX}.yaml", "--quiet", "--out",
            f"{folder}/run", "--set", f"train.seed={seed}",
            "--threads", arguments.threads]
        if arguments.steps:
            command += ["--set", f"train.steps={arguments.steps}"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        record = json.loads(pathlib.Path(folder, "run", "run.json").read_text())
        if done.returncode not in (0, 1):
            record["stopped"] = record.get("failure") or done.stderr.strip().splitlines()[0]
        return record


def works(run):
    return (
        "stopped" not in run and run["modes_filled"] == run["modes"]
        and run["wasserstein"] < 2 * run["wasserstein_floor"])


HEAD = [
    "| recipe | modes | filled | within 3σ | W1 | floor | K proved | gap / K | |",
    "|---|---|---|---|---|---|---|---|---|"]


def row(name, runs):
    whole = [r for r in runs if "stopped" not in r]
    if not whole:
        return f"| {name} | – | – | – | – | – | – | – | {runs[0]['stopped']} |"

    def several(key, form):
        values = [r.get(key) for r in whole]
        if None in values:
            return "–"
        texts = [form(v) for v in values]
        return texts[0] if len(set(texts)) == 1 else ", ".join(texts)

    for run in whole:
        run["bound"] = run["critic_bounds"].get("l2")
    verdicts = sum(map(works, runs))
    verdict = f"{verdicts} of {len(runs)} good"
    return (
        f"| {name} | {several('modes_covered', str)} | {several('modes_filled', str)} "
        f"| {several('high_quality', '{:.2f}'.format)} | {several('wasserstein', '{:.3f}'.format)} "
        f"| {several('wasserstein_floor', '{:.3f}'.format)} | {several('bound', '{:.4g}'.format)} "
        f"| {several('wasserstein_lower_bound', '{:.4f}'.format)} "
        f"| {verdict} |")


if __name__ == "__main__":
    main()
