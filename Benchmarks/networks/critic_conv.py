"""The critic of WGAN-GP on 3×32×32: 3→16→32 (4×4, stride 2, padding 1), leaky ReLU, 2048→1."""
BATCH, INPUT, RATE, BETAS = 32, (3, 32, 32), 1e-4, (0.0, 0.9)
SLOPE = 0.2
CONVOLUTIONS = [("conv1", 3, 16), ("conv2", 16, 32)]
WEIGHTS = {
    f"{name}.{kind}": shape
    for name, inputs, outputs in CONVOLUTIONS
    for kind, shape in [("weight", (outputs, inputs, 4, 4)), ("bias", (outputs,))]
} | {"out.weight": (1, 2048), "out.bias": (1,)}


def torch_module():
    from collections import OrderedDict

    from torch import nn

    modules = OrderedDict()
    for name, inputs, outputs in CONVOLUTIONS:
        modules[name] = nn.Conv2d(inputs, outputs, 4, 2, padding=1)
        modules[name + "_leaky"] = nn.LeakyReLU(SLOPE)
    modules["flatten"] = nn.Flatten()
    modules["out"] = nn.Linear(2048, 1)
    return nn.Sequential(modules)


def jax_forward(weight, x):
    import jax

    for name, _, _ in CONVOLUTIONS:
        x = jax.lax.conv_general_dilated(
            x, weight(f"{name}.weight"), (2, 2), ((1, 1), (1, 1)))
        x = jax.nn.leaky_relu(x + weight(f"{name}.bias")[:, None, None], SLOPE)
    return x.reshape(len(x), -1) @ weight("out.weight").T + weight("out.bias")
