"""What regularisers and a constraint do to one classifier: the table of Documentation/regularisation.md.

    python3 regularisation_story.py --lgc PATH [--seeds 0 1 2] [--runs FOLDER] [--only NAME …]

The same multilayer perceptron on Fashion-MNIST is trained with nothing, with each regulariser and
under the spectral constraint, for every seed, and `lgc eval` gives each run's accuracy, proved bound,
certified accuracy and accuracy under attack. Prints Markdown: mean over the seeds, and in brackets
the least and the largest. Exits with 1 if for any run certified ≤ attacked ≤ clean does not hold.

Needs Python 3 and nothing else. With --runs the runs are kept, and those that are there and complete
are not trained again.
"""
import argparse, json, pathlib, platform, subprocess, sys, tempfile

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
# Rows: name, description, overrides.
ROWS = [
    ("none", "l2_regularised", ["regularize=[]"]),
    ("l2", "l2_regularised", []),
    ("spectral_norm", "spectral_regularised", []),
    ("gradient_penalty", "gradient_penalty_classifier", []),
    ("spectral (constraint)", "l2_regularised", [
        "regularize=[]", "model.lipschitz={norm: l2, bound: 1.0}",
        "model.constraint={type: spectral}", "loss={family: cross_entropy, temperature: 0.1}"]),
]
RADII = ["36/255", "0.5"]


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"


def train(lgc, model, overrides, folder):
    """Trains, where `folder` has no complete run of the same overrides."""
    record = folder / "run.json"
    if record.exists():
        known = json.loads(record.read_text())
        if "end" in known and known["overrides"] == overrides:
            return
        sys.exit(f"{folder} holds another run; remove it or name another folder")
    command = [lgc, "train", str(MODELS / f"{model}.yaml"), "--quiet", "--out", str(folder)]
    for override in overrides:
        command += ["--set", override]
    done = subprocess.run(command, capture_output=True, text=True)
    # 1 is a target that is not met: what is trained here need not meet the file's.
    if done.returncode not in (0, 1) or not record.exists():
        sys.exit(done.stderr)


def evaluate(lgc, folder):
    done = subprocess.run(
        [lgc, "eval", str(folder), "--norm", "l2", "--radius", *RADII, "--format", "json"],
        capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def measured(evaluation):
    """One run's numbers, in the order of the table."""
    norm = evaluation["norms"][0]
    found = {"accuracy": evaluation["accuracy"], "bound": norm["bound"],
             "samples": evaluation["samples"],
             "steps": norm["radii"][0]["attack_steps"]}
    for radius, row in zip(RADII, norm["radii"]):
        found[f"certified {radius}"], found[f"attacked {radius}"] = row["certified"], row["attacked"]
    return found


def is_bracketed(found):
    return all(found[f"certified {r}"] <= found[f"attacked {r}"] <= found["accuracy"] for r in RADII)


def cell(values, digits, scale=1.0):
    values = [v * scale for v in values]
    mean, least, most = sum(values) / len(values), min(values), max(values)
    return f"{mean:.{digits}f} ({least:.{digits}f}–{most:.{digits}f})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", default=str(MODELS.parent / ".build" / "release" / "lgc"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", choices=[name for name, _, _ in ROWS])
    parser.add_argument("--runs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        runs = pathlib.Path(arguments.runs or temporary)
        runs.mkdir(parents=True, exist_ok=True)
        rows, broken = {}, []
        for name, model, overrides in ROWS:
            if arguments.only and name not in arguments.only:
                continue
            for seed in arguments.seeds:
                folder = runs / f"{name.split()[0]}-{seed}"
                train(arguments.lgc, model, overrides + [f"train.seed={seed}"], folder)
                found = measured(evaluate(arguments.lgc, folder))
                rows.setdefault(name, []).append(found)
                if not is_bracketed(found):
                    broken.append(f"{name}, seed {seed}: {found}")
                print(f"{name}, seed {seed}: {found}", file=sys.stderr, flush=True)
    some = next(iter(rows.values()))[0]
    print(f"{processor()}; {len(arguments.seeds)} seeds, {some['samples']} test samples, "
          f"{some['steps']} steps of attack.\n")
    columns = [("accuracy %", "accuracy", 2, 100), ("proved bound", "bound", 2, 1)]
    for radius in RADII:
        columns += [(f"certified at {radius}, %", f"certified {radius}", 2, 100),
                    (f"attacked at {radius}, %", f"attacked {radius}", 2, 100)]
    print("| | " + " | ".join(title for title, *_ in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, found in rows.items():
        cells = [cell([f[key] for f in found], digits, scale)
                 for _, key, digits, scale in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")
    for line in broken:
        print(f"certified ≤ attacked ≤ clean does not hold: {line}", file=sys.stderr)
    sys.exit(1 if broken else 0)


main()
