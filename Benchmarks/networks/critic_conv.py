"""The critic of WGAN-GP on 28×28: 1→32→64 (4×4, stride 2, padding 1), leaky ReLU, 3136→1."""
BATCH, INPUT, RATE, BETAS = 64, (1, 28, 28), 1e-4, (0.0, 0.9)
SLOPE = 0.2
CONVOLUTIONS = [("conv1", 1, 32), ("conv2", 32, 64)]
WEIGHTS = {
    f"{name}.{kind}": shape
    for name, inputs, outputs in CONVOLUTIONS
    for kind, shape in [("weight", (outputs, inputs, 4, 4)), ("bias", (outputs,))]
} | {"out.weight": (1, 3136), "out.bias": (1,)}


def torch_module():
    from collections import OrderedDict

    from torch import nn

    modules = OrderedDict()
    for name, inputs, outputs in CONVOLUTIONS:
        modules[name] = nn.Conv2d(inputs, outputs, 4, 2, padding=1)
        modules[name + "_leaky"] = nn.LeakyReLU(SLOPE)
    modules["flatten"] = nn.Flatten()
    modules["out"] = nn.Linear(3136, 1)
    return nn.Sequential(modules)


def jax_forward(weight, x):
    import jax

    for name, _, _ in CONVOLUTIONS:
        x = jax.lax.conv_general_dilated(
            x, weight(f"{name}.weight"), (2, 2), ((1, 1), (1, 1)))
        x = jax.nn.leaky_relu(x + weight(f"{name}.bias")[:, None, None], SLOPE)
    return x.reshape(len(x), -1) @ weight("out.weight").T + weight("out.bias")
