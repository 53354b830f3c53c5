"""One competitor of the step-time benchmark as a process that stays alive.

    python peers.py COMPETITOR MODEL INIT.safetensors THREADS

It builds the model from the given initial weights, warms up, prints {"ready": …} and then, for each
line `run N` on standard input, takes N training steps over the same batches in the same order as
every other competitor and prints {"milliseconds": [one per step], "losses": [one per step]}.

A step is what a user's loop does: forward, loss, backward, optimizer update; the batch is already a
float tensor in memory.
"""
import gzip, json, os, sys, time

import numpy as np

FOLDER = "/usr/share/datasets/fashion-mnist"
BATCH, WARMUP = 128, 25


def batches():
    with gzip.open(f"{FOLDER}/train-images-idx3-ubyte.gz") as f:
        x = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(f"{FOLDER}/train-labels-idx1-ubyte.gz") as f:
        y = np.frombuffer(f.read(), np.uint8, offset=8)
    n = len(x) // BATCH
    x = (x[: n * BATCH].astype(np.float32) / np.float32(255)).reshape(n, BATCH, 784)
    return x, y[: n * BATCH].astype(np.int64).reshape(n, BATCH)


def torch_step(competitor, spectral, init, threads):
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    layers = []
    for i, name in enumerate(["fc1", "fc2", "fc3"]):
        w, b = init[f"{name}.weight"], init[f"{name}.bias"]
        dense = nn.Linear(w.shape[1], w.shape[0])
        with torch.no_grad():
            dense.weight.copy_(torch.from_numpy(w))
            dense.bias.copy_(torch.from_numpy(b))
        if spectral:
            dense = nn.utils.parametrizations.spectral_norm(dense)
        layers += [dense] + ([nn.ReLU()] if i < 2 else [])
    model = nn.Sequential(*layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused="fused" in competitor)
    criterion = nn.CrossEntropyLoss()

    def forward_loss(x, y):
        return criterion(model(x), y)

    if "compile" in competitor:
        forward_loss = torch.compile(forward_loss)

    def update():
        optimizer.step()

    if "optimizer" in competitor:
        update = torch.compile(update)
    xs, ys = batches()
    xs, ys = torch.from_numpy(xs), torch.from_numpy(ys)

    def step(i):
        optimizer.zero_grad(set_to_none=True)
        loss = forward_loss(xs[i % len(xs)], ys[i % len(ys)])
        loss.backward()
        update()
        return loss.detach()

    return step, f"torch {torch.__version__}"


def jax_step(competitor, spectral, init, threads):
    import jax
    import jax.numpy as jnp

    params = {k: jnp.asarray(v) for k, v in init.items() if not k.startswith("power.")}
    power = {k: jnp.asarray(v) for k, v in init.items() if k.startswith("power.")}
    names = ["fc1", "fc2", "fc3"]

    def unit(t):
        return t / jnp.maximum(jnp.sqrt(jnp.sum(t * t)), 1e-12)

    def loss_of(params, power, x, y):
        h, new = x, {}
        for i, n in enumerate(names):
            w = params[f"{n}.weight"]
            if spectral:
                u = jax.lax.stop_gradient(unit(w @ power[f"power.{n}.v"]))
                v = jax.lax.stop_gradient(unit(w.T @ u))
                new[f"power.{n}.v"] = v
                h = (h @ w.T) / (u @ (w @ v)) + params[f"{n}.bias"]
            else:
                h = h @ w.T + params[f"{n}.bias"]
            if i < 2:
                h = jax.nn.relu(h)
        picked = jnp.take_along_axis(jax.nn.log_softmax(h), y[:, None], 1)
        return -picked.mean(), new

    def train(state, x, y):
        params, m, v, t, power = state
        (loss, power), g = jax.value_and_grad(loss_of, has_aux=True)(params, power, x, y)
        t = t + 1
        c1, c2 = 1 - 0.9**t, 1 - 0.999**t
        m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
        params = jax.tree.map(
            lambda p, a, b: p - 1e-3 * (a / c1) / (jnp.sqrt(b / c2) + 1e-8), params, m, v)
        return (params, m, v, t, power), loss

    jitted = jax.jit(train, donate_argnums=0)
    zeros = lambda: jax.tree.map(jnp.zeros_like, params)
    box = [(params, zeros(), zeros(), jnp.float32(0), power)]
    xs, ys = batches()
    xs = [jnp.asarray(x) for x in xs]
    ys = [jnp.asarray(y.astype(np.int32)) for y in ys]

    def step(i):
        box[0], loss = jitted(box[0], xs[i % len(xs)], ys[i % len(ys)])
        loss.block_until_ready()
        return loss

    return step, f"jax {jax.__version__}"


def main():
    competitor, model, init_file, threads = sys.argv[1:5]
    from safetensors.numpy import load_file

    make = jax_step if competitor == "jax" else torch_step
    step, version = make(competitor, model.endswith("spectral"), load_file(init_file), int(threads))
    count = 0
    first = []
    for _ in range(WARMUP):
        first.append(float(step(count)))
        count += 1
    print(json.dumps({"ready": version, "losses": first}), flush=True)
    for line in sys.stdin:
        n = int(line.split()[1])
        times, losses = [], []
        for _ in range(n):
            t = time.perf_counter()
            loss = step(count)
            times.append((time.perf_counter() - t) * 1e3)
            losses.append(loss)
            count += 1
        print(json.dumps({"milliseconds": times, "losses": [float(l) for l in losses]}), flush=True)


main()
