"""Trains every description of models/ and prints what each reaches: the table of Documentation/models.md.

    python3 models_table.py --lgc PATH [--only NAME …] [--runs FOLDER]

For each: the time of training, the accuracy (or the loss, of a regression) on the test split, the bound
that `lgc bound` proves of the stored weights beside the one declared, the steepest slope that its
search found between two inputs (a lower bound of the constant). Exits with 1 if the network's or any
layer's proved bound is above the declared one, a target is not met, or a slope exceeds its bound.

Needs Python 3 and nothing else. With --runs the runs are kept, and those that are there and complete
are not trained again.
"""
import argparse, json, pathlib, subprocess, sys, tempfile

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"


def called(*command, allowed=(0,)):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in allowed:
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def row(lgc, model, folder):
    record = folder / "run.json"
    if not record.exists() or "end" not in json.loads(record.read_text()):
        # 1 is a target that is not met, which the table shows.
        called(lgc, "train", model, "--quiet", "--out", folder, allowed=(0, 1))
    run = json.loads(record.read_text())
    proved = json.loads(called(lgc, "bound", folder, "--format", "json"))
    static = json.loads(called(lgc, "check", model, "--format", "json"))
    if run.get("test_accuracy") is not None:
        reached = f"{100 * run['test_accuracy']:.2f} %"
    else:
        last = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
        reached = f"loss {last['test_loss']:.2g}"
    return run, proved, static, reached


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", default=str(MODELS.parent / ".build" / "release" / "lgc"))
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--runs")
    arguments = parser.parse_args()
    broken = []
    print("| description | norm | accuracy | declared | proved | steepest slope found | targets "
          "| training, s | proof, s |")
    print("|---|---|---:|---:|---:|---:|---|---:|---:|")
    with tempfile.TemporaryDirectory() as temporary:
        runs = pathlib.Path(arguments.runs or temporary)
        runs.mkdir(parents=True, exist_ok=True)
        for model in sorted(MODELS.glob("*.yaml")):
            if arguments.only and model.stem not in arguments.only:
                continue
            run, proved, static, reached = row(arguments.lgc, model, runs / model.stem)
            network = static["networks"][0]
            declared = network["bound"]["value"] if network["bound"]["provable"] else None
            held = {l["name"]: l["bound"]["value"] for l in network["layers"]
                    if l["bound"]["provable"]}
            targets = run["targets"]
            met = sum(t["met"] is not False for t in targets)
            print(f"| [{model.stem}](../models/{model.name}) | {proved['norm']} | {reached} | "
                  f"{'none' if declared is None else f'{declared:.7g}'} | {proved['upper']:.8g} | "
                  f"{proved['lower']:.4g} | {met} of {len(targets)} | "
                  f"{run['training_seconds']:.1f} | {proved['seconds']:.1f} |", flush=True)
            if declared is not None and proved["upper"] > declared:
                broken.append(f"{model.stem}: {proved['upper']} is proved, {declared} is declared")
            broken += [f"{model.stem}, {l['name']}: {l['upper']} is proved, {held[l['name']]} is declared"
                       for l in proved["layers"]
                       if l["name"] in held and l["upper"] > held[l["name"]]]
            if proved["lower"] > proved["upper"]:
                broken.append(f"{model.stem}: a slope above the bound")
            broken += [f"{model.stem}: {t['claim']}: {t['outcome']}"
                       for t in targets if t["met"] is False]
    for line in broken:
        print(line, file=sys.stderr)
    sys.exit(1 if broken else 0)


main()
