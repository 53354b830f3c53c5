"""Clean and certified accuracy of one description, trained by lgc and by its peers.

    python certified_accuracy.py --lgc PATH [--only lgc torch deel] [--epochs N] [--again]

Every competitor has the same layers, loss, optimizer, schedule, epochs and order of samples, and two
threads. PyTorch holds each layer by `torch.nn.utils.parametrizations.spectral_norm`, deel-torchlip by
its own SpectralLinear and SpectralConv2d (spectral norm and Björck iterations). What they leave
behind, the plain weights of the trained model, is certified by `lgc eval` alike: neither a power
iteration's estimate nor a library's word is a proof, and the proved bound of the very network may be
above 1 (PyTorch normalises a convolution's kernel as a matrix) or below.

A competitor may need a learning rate of its own: at the description's 2e-3 deel-torchlip's loss is
nan in the fourth step, so it gets 1e-3, the largest tried at which it trains.

Each competitor's result stays in .results/ and is used as long as what it is trained by is the same
(the constraint is lgc's alone); a run that was broken off goes on with the next competitor.
"""
import argparse, hashlib, json, math, pathlib, subprocess, sys, time

import yaml

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / ".results"
RADII = ["0.1", "36/255", "0.25", "0.5"]
RATES = {"deel": 1e-3}  # instead of the description's
COMPETITORS = {"lgc": "lgc", "torch": "PyTorch spectral_norm", "deel": "deel-torchlip"}


def layers(description):
    """(kind, arguments) of each layer, activations as layers of their own."""
    for item in description["model"]["layers"]:
        kind, arguments = (item, {}) if isinstance(item, str) else next(iter(item.items()))
        arguments = dict(arguments or {})
        activation = arguments.pop("activation", None)
        yield kind, arguments
        if activation:
            yield activation, {}


def build(description, framework):
    """The network as PyTorch modules by name, and its exported plain weights as a function."""
    import torch
    from torch import nn

    class GroupSort(nn.Module):
        def forward(self, x):
            shape = x.shape
            pairs = x.reshape(shape[0], shape[1] // 2, 2, *shape[2:])
            return torch.sort(pairs, dim=2).values.reshape(shape)

    def held(layer):
        return nn.utils.parametrizations.spectral_norm(layer)

    channels, *extents = description["model"]["input"]
    flat = None
    modules = {}
    for kind, a in layers(description):
        name = a.get("name", f"{kind}_{len(modules) + 1}")
        if kind == "conv":
            k, s, p = a["kernel"], a.get("stride", 1), a.get("padding", 0)
            if framework == "deel":
                import deel.torchlip as torchlip
                modules[name] = torchlip.SpectralConv2d(
                    channels, a["filters"], k, stride=s, padding=p)
            else:
                modules[name] = held(nn.Conv2d(channels, a["filters"], k, stride=s, padding=p))
            channels = a["filters"]
            extents = [(n + 2 * p - k) // s + 1 for n in extents]
        elif kind == "flatten":
            modules[name] = nn.Flatten()
            flat = channels * math.prod(extents)
        elif kind == "dense":
            if framework == "deel":
                import deel.torchlip as torchlip
                modules[name] = torchlip.SpectralLinear(flat, a["units"])
            else:
                modules[name] = held(nn.Linear(flat, a["units"]))
            flat = a["units"]
        elif kind == "group_sort":
            modules[name] = GroupSort()
        else:
            sys.exit(f"certified_accuracy.py: no peer has the layer `{kind}`")

    def export():
        tensors = {}
        for name, module in modules.items():
            if not hasattr(module, "weight"):
                continue
            plain = module.vanilla_export() if framework == "deel" else module
            tensors[f"{name}.weight"] = plain.weight.detach().contiguous().clone()
            tensors[f"{name}.bias"] = plain.bias.detach().contiguous().clone()
        return tensors

    return nn.Sequential(*modules.values()), export


def train_peer(description, framework, epochs, threads, weights):
    import torch
    from safetensors.torch import save_file

    from peers_data import fashion_mnist
    from shuffle import order

    seed = description["train"].get("seed", 0)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    (x, y), _ = fashion_mnist()
    model, export = build(description, framework)
    section, batch = description["optimizer"], description["train"]["batch"]
    optimizer = torch.optim.Adam(
        model.parameters(), lr=RATES.get(framework, float(section["lr"])))
    steps = epochs * (len(x) // batch)
    rate = {"cosine": lambda t: (1 + math.cos(math.pi * t / steps)) / 2,
            "linear": lambda t: 1 - t / steps,
            "constant": lambda t: 1.0}[section.get("schedule", "constant")]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    temperature = float(description["loss"].get("temperature", 1.0))
    offset = float(description["loss"].get("offset", 0.0))
    started = time.time()
    for epoch in range(epochs):
        chosen = torch.from_numpy(order(seed, epoch, len(x)))
        for i in range(len(x) // batch):
            part = chosen[i * batch : (i + 1) * batch]
            optimizer.zero_grad(set_to_none=True)
            lead = offset * torch.nn.functional.one_hot(y[part], 10)
            loss = temperature * torch.nn.functional.cross_entropy(
                (model(x[part]) - lead) / temperature, y[part])
            loss.backward()
            optimizer.step()
            schedule.step()
        if not loss.isfinite():
            sys.exit(f"{framework}: the loss is {loss.item()} in epoch {epoch + 1}")
        print(f"{framework}: epoch {epoch + 1} of {epochs}, loss {loss.item():.4f}, "
              f"{time.time() - started:.0f} s", file=sys.stderr, flush=True)
    seconds = time.time() - started
    model.eval()
    save_file(export(), str(weights))
    return seconds


def train_lgc(lgc, model, epochs, threads, folder):
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    done = subprocess.run(
        [lgc, "train", model, "--out", str(folder), "--set", f"train.epochs={epochs}",
         "--threads", str(threads), "--quiet"], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    return json.loads((folder / "run.json").read_text())["training_seconds"]


def evaluate(lgc, model, weights, threads):
    done = subprocess.run(
        [lgc, "eval", model, "--weights", str(weights), "--norm", "l2", "--format", "json",
         "--threads", str(threads), "--radius", *RADII], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def known(model, path, key):
    """The result in `path`, if it is one of this description."""
    if path.exists():
        result = json.loads(path.read_text())
        if result.get("description") == digest(model, key):
            return result
    return None


def digest(model, key):
    description = yaml.safe_load(model.read_text())
    del description["targets"]
    if key != "lgc":
        del description["model"]["constraint"]
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def table(model, epochs):
    print(f"\n{model.stem}, {epochs} epochs\n")
    print("| trained by | clean | " + " | ".join(f"certified {r}" for r in RADII)
          + " | attacked 0.5 | proved bound | training |")
    print("|---|" + "---:|" * (len(RADII) + 4))
    for key, title in COMPETITORS.items():
        result = known(model, RESULTS / f"{model.stem}-{epochs}-{key}.json", key)
        if result is None:
            continue
        norm = result["eval"]["norms"][0]
        cells = [title, f"{100 * result['eval']['accuracy']:.2f} %"]
        cells += [f"{100 * row['certified']:.2f} %" for row in norm["radii"]]
        bound = norm["bound"]
        cells += [f"{100 * norm['radii'][-1]['attacked']:.2f} %",
                  "none" if bound is None else f"{bound:.5f}", f"{result['seconds']:.0f} s"]
        print("| " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", required=True)
    parser.add_argument(
        "--model", default=str(HERE.parent / "models" / "fashion_certified.yaml"))
    parser.add_argument("--only", nargs="*", choices=COMPETITORS, default=list(COMPETITORS))
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="also what has a result")
    arguments = parser.parse_args()
    model = pathlib.Path(arguments.model)
    description = yaml.safe_load(model.read_text())
    epochs = arguments.epochs or description["train"]["epochs"]
    RESULTS.mkdir(exist_ok=True)
    for key in arguments.only:
        stem = RESULTS / f"{model.stem}-{epochs}-{key}"
        result = pathlib.Path(f"{stem}.json")
        if known(model, result, key) and not arguments.again:
            continue
        if key == "lgc":
            folder = pathlib.Path(f"{stem}-run")
            seconds = train_lgc(arguments.lgc, str(model), epochs, arguments.threads, folder)
            weights = folder / "weights.safetensors"
        else:
            weights = pathlib.Path(f"{stem}.safetensors")
            seconds = train_peer(description, key, epochs, arguments.threads, weights)
        evaluation = evaluate(arguments.lgc, str(model), weights, arguments.threads)
        temporary = pathlib.Path(f"{stem}.tmp")
        temporary.write_text(json.dumps(
            {"description": digest(model, key), "seconds": seconds, "eval": evaluation}, indent=1))
        temporary.rename(result)
    table(model, epochs)


main()
