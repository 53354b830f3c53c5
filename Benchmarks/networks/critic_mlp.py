"""The critic of WGAN-GP on points of the plane: 2-128-128-128-1 with ReLU."""
BATCH, INPUT, RATE, BETAS = 256, (2,), 1e-4, (0.0, 0.9)
LAYERS = [("fc1", 2, 128), ("fc2", 128, 128), ("fc3", 128, 128), ("out", 128, 1)]
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
            modules[name + "_relu"] = nn.ReLU()
    return nn.Sequential(modules)


def jax_forward(weight, x):
    import jax

    for name, _, _ in LAYERS:
        x = x @ weight(f"{name}.weight").T + weight(f"{name}.bias")
        if name != "out":
            x = jax.nn.relu(x)
    return x
