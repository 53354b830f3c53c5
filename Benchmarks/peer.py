"""One competitor as a process that stays alive.

    python peer.py COMPETITOR BENCHMARK WEIGHTS.safetensors THREADS

It builds the network from the given weights, warms up and prints {"ready": …}. Then for each line
`run N` on standard input it takes N steps over the same batches in the same order as every other
competitor and prints {"milliseconds": [one a step], "losses": [one a step]}.

A step is what a user's loop does: forward, loss, backward, the optimizer's update, with the batch a
float tensor in memory; of inference, a batch of outputs, and the loss is their sum.
"""
import json
import sys
import time

from safetensors.numpy import load_file

from networks import network


def main():
    competitor, benchmark, weights, threads = sys.argv[1:5]
    framework, *words = competitor.split("-")
    peer = __import__(f"{framework}_peer")
    peer.set_threads(int(threads))
    weights = load_file(weights)
    if benchmark.startswith("inference"):
        name, batch = benchmark.removeprefix("inference_").rsplit("_", 1)
        step = peer.inference(network(name), weights, words, int(batch))
        number = lambda result: float(result.sum())
    else:
        step = peer.training_step(benchmark, network(benchmark), weights, words)
        number = float
    try:
        # Compiles; the losses of these steps are compared.
        first = [number(step(i)) for i in range(10)]
    except Exception as error:
        print(json.dumps({"unsupported": str(error).strip().splitlines()[0]}), flush=True)
        return
    print(json.dumps({"ready": peer.version(), "losses": first}), flush=True)
    count = len(first)
    for line in sys.stdin:
        times, results = [], []
        for _ in range(int(line.split()[1])):
            start = time.perf_counter()
            results.append(step(count))
            times.append((time.perf_counter() - start) * 1e3)
            count += 1
        print(json.dumps({"milliseconds": times, "losses": [number(r) for r in results]}),
              flush=True)


main()
