"""The critic of WGAN-GP on points: 64-256-256-1 with tanh."""
BATCH, INPUT, RATE, BETAS = 128, (64,), 1e-4, (0.0, 0.9)
LAYERS = [("fc1", 64, 256), ("fc2", 256, 256), ("out", 256, 1)]
WEIGHTS = {
    f"{name}.{kind}": shape
    for name, inputs, outputs in LAYERS
    for kind, shape in [("weight", (outputs, inputs)), ("bias", (outputs,))]
}


def torch_module():
    from collections import OrderedDict

    from torch import nn

    modules = OrderedDict()
    for name, inputs, outputs in LAYERS:
        modules[name] = nn.Linear(inputs, outputs)
        if name != "out":
            modules[name + "_tanh"] = nn.Tanh()
    return nn.Sequential(modules)


def jax_forward(weight, x):
    import jax.numpy as jnp

    for name, _, _ in LAYERS:
        x = x @ weight(f"{name}.weight").T + weight(f"{name}.bias")
        if name != "out":
            x = jnp.tanh(x)
    return x
