"""784-512-512-10 with ReLU."""
BATCH, INPUT, RATE, BETAS = 128, (784,), 1e-3, (0.9, 0.999)
LAYERS = [("fc1", 784, 512), ("fc2", 512, 512), ("fc3", 512, 10)]
WEIGHTS = {
    f"{name}.{kind}": shape
    for name, inputs, outputs in LAYERS
    for kind, shape in [("weight", (outputs, inputs)), ("bias", (outputs,))]
}
CONSTRAINED = {name: (inputs,) for name, inputs, _ in LAYERS}


def torch_module():
    from torch import nn
    from collections import OrderedDict

    modules = OrderedDict()
    for name, inputs, outputs in LAYERS:
        modules[name] = nn.Linear(inputs, outputs)
        if name != LAYERS[-1][0]:
            modules[name + "_relu"] = nn.ReLU()
    return nn.Sequential(modules)


def jax_forward(weight, x):
    import jax

    for name, _, _ in LAYERS:
        w = weight(f"{name}.weight")
        divisor = weight.divisor(name, lambda v, w=w: w @ v)
        # x·(W/σ)ᵀ as (x·Wᵀ)/σ, which needs no scaled copy of W.
        x = (x @ w.T) / divisor + weight(f"{name}.bias")
        if name != LAYERS[-1][0]:
            x = jax.nn.relu(x)
    return x
