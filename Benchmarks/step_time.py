"""Training-step time of lgc against PyTorch and JAX, interleaved in one run.

    python step_time.py --lgc PATH [--rounds 5] [--steps 20] [--threads 2] [--quick]

Every competitor is a process that stays alive; a round asks each in turn for some steps, so a slow
window of the machine hits all alike. The ratio printed is the median over the rounds of
(lgc's median in the round) / (the competitor's median in the same round). Same initial weights,
batches, order and optimizer for all; the first losses are compared before anything is timed.
"""
import argparse, json, os, pathlib, platform, statistics, subprocess, sys, tempfile

import numpy as np
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).resolve().parent
MODELS = ["mlp", "mlp_spectral"]
PEERS = {
    "torch-eager": "PyTorch eager, default Adam",
    "torch-eager-fused": "PyTorch eager, Adam(fused=True)",
    "torch-compile": "torch.compile, model",
    "torch-compile-optimizer": "torch.compile, model and optimizer",
    "jax": "JAX jit",
}


def initial_weights(path):
    """PyTorch's default initialisation of Linear, by a fixed seed; unit vectors for JAX's power iteration."""
    rng = np.random.default_rng(0)
    tensors = {}
    for name, inputs, outputs in [("fc1", 784, 512), ("fc2", 512, 512), ("fc3", 512, 10)]:
        k = 1 / np.sqrt(inputs)
        w = rng.uniform(-k, k, (outputs, inputs)).astype(np.float32)
        tensors[f"{name}.weight"] = w
        tensors[f"{name}.bias"] = rng.uniform(-k, k, outputs).astype(np.float32)
        v = rng.standard_normal(inputs).astype(np.float32)
        for _ in range(15):
            v = w.T @ (w @ v)
            v /= np.linalg.norm(v)
        tensors[f"power.{name}.v"] = v
    save_file(tensors, path)
    weights = path.replace(".safetensors", ".weights.safetensors")
    save_file({k: v for k, v in tensors.items() if not k.startswith("power.")}, weights)
    return weights


class Competitor:
    def __init__(self, command):
        env = {k: v for k, v in os.environ.items() if not k.startswith("OMP_")}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.rounds = []

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"a competitor ended early: {self.process.args}")
        return json.loads(line)

    def run(self, steps):
        self.process.stdin.write(f"run {steps}\n")
        self.process.stdin.flush()
        return self.read()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, no torch.compile")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.steps = 3, 20
    peers = [p for p in PEERS if not (arguments.quick and "compile" in p)]
    results = {"machine": platform.processor() or platform.machine(), "threads": arguments.threads,
               "batch": 128, "rounds": arguments.rounds, "steps": arguments.steps, "models": {}}
    with tempfile.TemporaryDirectory() as folder:
        init = f"{folder}/init.safetensors"
        weights = initial_weights(init)
        for model in arguments.models:
            results["models"][model] = measure(arguments, peers, model, init, weights)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "step_time.json").write_text(json.dumps(results, indent=1))


def measure(arguments, peers, model, init, weights):
    competitors = {"lgc": Competitor([
        arguments.lgc, "measure-step", str(HERE / "models" / f"{model}.yaml"), "--weights", weights,
        "--threads", str(arguments.threads), "--stdin"])}
    for peer in peers:
        competitors[peer] = Competitor([
            sys.executable, str(HERE / "peers.py"), peer, model, init, str(arguments.threads)])
    first = {"lgc": competitors["lgc"].run(25)["losses"]}
    versions = {}
    for peer in peers:
        ready = competitors[peer].read()
        first[peer], versions[peer] = ready["losses"], ready["ready"]
    print(f"\n{model}: first 25 losses against PyTorch eager, largest relative difference")
    for name, losses in first.items():
        gap = max(abs(a - b) / abs(b) for a, b in zip(losses, first["torch-eager"]))
        print(f"  {name:26} {gap:.1e}   last loss {losses[-1]:.5f}")
    for _ in range(arguments.rounds):
        for competitor in competitors.values():
            times = competitor.run(arguments.steps)["milliseconds"]
            competitor.rounds.append(statistics.median(times))
    for competitor in competitors.values():
        competitor.process.stdin.close()
        competitor.process.wait()
    ours = competitors["lgc"].rounds
    rows = {}
    print(f"{model}: ms a step, batch 128, {arguments.threads} threads, "
          f"median of {arguments.rounds} rounds of {arguments.steps} steps")
    for name, competitor in competitors.items():
        ratio = statistics.median(a / b for a, b in zip(ours, competitor.rounds))
        rows[name] = {"milliseconds": statistics.median(competitor.rounds),
                      "fastest": min(competitor.rounds), "slowest": max(competitor.rounds),
                      "lgc_ratio": ratio, "version": versions.get(name, "")}
        label = PEERS.get(name, "lgc")
        print(f"  {label:38} {rows[name]['milliseconds']:7.2f}  "
              f"({rows[name]['fastest']:.2f}–{rows[name]['slowest']:.2f})   lgc / it = {ratio:.2f}")
    return {"rows": rows, "first_losses": first}


main()
