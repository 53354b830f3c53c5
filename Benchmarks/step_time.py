"""Time of training steps and inference of lgc against PyTorch and JAX, interleaved in one run.

    python step_time.py --lgc PATH [--models mlp cnn …] [--rounds 7] [--threads 2] [--quick]

Every competitor is a process that stays alive; a round asks each in turn for some steps, so that a
slow window of the machine hits all alike. All have the same initial weights, batches, order and
optimizer, and before anything is timed their first losses are compared. The results are added to
results/step_time.json, and results/step_time.md is made of them: benchmarks may be run one by one.
"""
import argparse
import datetime
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

from safetensors.numpy import save_file

import given
import report
from benchmarks import BENCHMARKS, PEERS
from competitor import Competitor
from networks import network

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / "results"
BATCHES = ["32", "64", "128", "256", "512", "1024"]
CHECKED = 10  # first losses


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", nargs="*", default=[*BENCHMARKS, "scaling"],
                        choices=[*BENCHMARKS, "scaling"])
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), help="only these")
    parser.add_argument("--quick", action="store_true",
                        help="three short rounds, no torch.compile, no scaling")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds = 3
        arguments.models = [m for m in arguments.models if m != "scaling"]
    RESULTS.mkdir(exist_ok=True)
    agree = True
    for model in arguments.models:
        if model == "scaling":
            merge(arguments, "scaling", scaling(arguments))
            continue
        result = measure(arguments, model)
        show(model, result)
        agree = agree and result["agree"]
        merge(arguments, model, result)
    print(f"\n{RESULTS / 'step_time.md'}")
    sys.exit(0 if agree else 1)


def merge(arguments, name, result):
    path = RESULTS / "step_time.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    if results.get("threads") != arguments.threads:
        results = {"benchmarks": {}}
    results |= {"processor": processor(), "threads": arguments.threads,
                "date": datetime.date.today().isoformat()}
    if name == "scaling":
        results["scaling"] = result
    else:
        known = results["benchmarks"].get(name, {}).get("rows", {})
        # With --peers, the others keep what they had; every ratio is of rounds of one run.
        result["rows"] = (known if arguments.peers else {}) | result["rows"]
        results["benchmarks"][name] = result
    path.write_text(json.dumps(results, indent=1))
    (RESULTS / "step_time.md").write_text(report.markdown(results))


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} CPUs" if names else "unknown processor"


def lgc_command(arguments, model, folder, batch=None):
    """lgc on a benchmark, with the same numbers as the peers."""
    name, inference = model, model.startswith("inference")
    if inference:
        name, batch = model.removeprefix("inference_").rsplit("_", 1)
    shape = network(name)
    weights = folder / f"{name}.lgc.safetensors"
    tensors = given.weights(shape, name.endswith("_spectral"))
    prefix = "critic." if name.startswith("critic") else ""
    save_file({prefix + k: v for k, v in tensors.items()}, weights)
    command = [
        arguments.lgc, "measure-inference" if inference else "measure-step",
        HERE / "models" / f"{name}.yaml", "--weights", weights,
        "--threads", arguments.threads, "--stdin"]
    if name.startswith("critic"):
        save_file(given.critic_inputs(shape), folder / "inputs.safetensors")
        command += ["--network", "critic", "--inputs", folder / "inputs.safetensors"]
    if name == "residual":
        x, y = given.images(shape)
        for part, array in [("images", x), ("labels", y)]:
            given.write_idx(folder / part, array)
            command += ["--set", f"data.{part}={folder / part}"]
    if inference:
        command += ["--batch", batch]
    elif batch:
        command += ["--set", f"train.batch={batch}"]
    return command


def measure(arguments, model):
    benchmark = BENCHMARKS[model]
    peers = [p for p in benchmark.peers if not (arguments.quick and "compile" in p)]
    peers = [p for p in peers if p in (arguments.peers or peers)]
    steps = max(3, benchmark.steps // 3) if arguments.quick else benchmark.steps
    name = model.removeprefix("inference_").rsplit("_", 1)[0] if "inference" in model else model
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        weights = folder / "weights.safetensors"
        save_file(given.weights(network(name), name.endswith("_spectral")), weights)
        competitors = {"lgc": Competitor("lgc", lgc_command(arguments, model, folder))}
        for peer in peers:
            competitors[peer] = Competitor(peer, [
                sys.executable, HERE / "peer.py", peer, model, weights, arguments.threads])
        rows = first_losses(competitors, benchmark)
        if model.startswith("critic"):
            # What the penalty costs: the same critic's step without it.
            command = [*lgc_command(arguments, model, folder), "--set", "loss={family: wgan}"]
            competitors["plain"] = Competitor("plain", command)
            competitors["plain"].run(CHECKED)
            rows["plain"] = {}
        kernels = []
        for _ in range(arguments.rounds):
            kernels.append(competitors["lgc"].run(max(3, steps // 4), "kernels"))
            for competitor in competitors.values():
                times = competitor.run(steps)["milliseconds"]
                competitor.rounds.append(statistics.median(times))
        for key, competitor in competitors.items():
            rows[key] |= {
                "milliseconds": statistics.median(competitor.rounds),
                "rounds": competitor.rounds, "ours": competitors["lgc"].rounds,
                "peak_bytes": competitor.peak_bytes()}
            competitor.close()
    kernels = [reply["milliseconds"] for reply in kernels]
    rows["floor"] = {"milliseconds": statistics.median(kernels), "rounds": kernels,
                     "ours": competitors["lgc"].rounds}
    batch = model.rsplit("_", 1)[1] if "inference" in model else network(name).BATCH
    return {"batch": int(batch), "steps": steps, "rounds": arguments.rounds, "rows": rows,
            "agree": all(row.get("gap", 0) <= benchmark.tolerance for row in rows.values())}


def first_losses(competitors, benchmark):
    """Rows with the first losses of all that can run; those that cannot are taken away."""
    rows, losses = {}, {}
    for name, competitor in list(competitors.items()):
        reply = competitor.run(CHECKED) if name == "lgc" else competitor.read()
        if reply is None or "unsupported" in reply:
            reason = (reply or {}).get("unsupported", "ended early")
            if name == "lgc":
                sys.exit(f"lgc ended early: {' '.join(map(str, competitor.process.args))}")
            rows[name] = {"unsupported": reason}
            competitor.close()
            del competitors[name]
            continue
        losses[name] = reply.get("losses") or reply["sums"]
        rows[name] = {"version": reply.get("ready", "")} | {
            k: v for k, v in reply.items() if k in ("planned_bytes", "allocations")}
    reference = next((n for n in losses if n != "lgc"), "lgc")
    for name, own in losses.items():
        rows[name]["first_losses"] = own
        rows[name]["gap"] = max(
            abs(a - b) / max(1, abs(b)) for a, b in zip(own, losses[reference]))
    return rows


def scaling(arguments):
    """lgc alone, by batch size."""
    table = {}
    for model in ["mlp", "cnn"]:
        table[model] = {}
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            runs = {
                b: Competitor(b, lgc_command(arguments, model, folder, b)) for b in BATCHES}
            for b, competitor in runs.items():
                competitor.run(5)
            for _ in range(3):
                for b, competitor in runs.items():
                    steps = max(4, 2000 // int(b)) if model == "mlp" else max(3, 600 // int(b))
                    competitor.rounds.append(
                        statistics.median(competitor.run(steps)["milliseconds"]))
            for b, competitor in runs.items():
                table[model][b] = statistics.median(competitor.rounds)
                competitor.close()
    return {"batches": BATCHES, "milliseconds": table}


def show(model, result):
    print(f"\n{BENCHMARKS[model].title}: ms a step of {result['batch']} samples, "
          f"median of {result['rounds']} rounds of {result['steps']}")
    rows = result["rows"]
    for name, row in rows.items():
        if "unsupported" in row:
            print(f"  {report.label(name):36}  cannot: {row['unsupported'][:70]}")
            continue
        ratio = "" if name == "lgc" else f"lgc / it = {report.ratio(row):.2f}"
        print(f"  {report.label(name):36} {row['milliseconds']:8.2f}  "
              f"({min(row['rounds']):.2f}–{max(row['rounds']):.2f})  {ratio:16}  "
              + (f"{row['peak_bytes'] / 1e6:6.0f} MB  losses differ by {row['gap']:.0e}"
                 if "gap" in row else ""))
    if not result["agree"]:
        print("  THE LOSSES DO NOT AGREE: this is not the same computation")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
