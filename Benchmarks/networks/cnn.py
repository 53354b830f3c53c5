"""Three convolutions 1→32→64→64 (3×3, padding 1, strides 1, 2, 2) with ReLU, then 3136→10."""
BATCH, INPUT, RATE, BETAS = 128, (1, 28, 28), 1e-3, (0.9, 0.999)
CONVOLUTIONS = [("conv1", 1, 32, 28, 1), ("conv2", 32, 64, 28, 2), ("conv3", 64, 64, 14, 2)]
WEIGHTS = {
    f"{name}.{kind}": shape
    for name, inputs, outputs, _, _ in CONVOLUTIONS
    for kind, shape in [("weight", (outputs, inputs, 3, 3)), ("bias", (outputs,))]
} | {"fc.weight": (10, 3136), "fc.bias": (10,)}
CONSTRAINED = {
    name: (inputs, extent, extent) for name, inputs, _, extent, _ in CONVOLUTIONS
} | {"fc": (3136,)}


def torch_module():
    from collections import OrderedDict

    from torch import nn

    modules = OrderedDict()
    for name, inputs, outputs, _, stride in CONVOLUTIONS:
        modules[name] = nn.Conv2d(inputs, outputs, 3, stride, padding=1)
        modules[name + "_relu"] = nn.ReLU()
    modules["flatten"] = nn.Flatten()
    modules["fc"] = nn.Linear(3136, 10)
    return nn.Sequential(modules)


def jax_forward(weight, x):
    import jax

    def convolution(x, w, stride):
        return jax.lax.conv_general_dilated(x, w, (stride, stride), ((1, 1), (1, 1)))

    for name, _, _, _, stride in CONVOLUTIONS:
        w = weight(f"{name}.weight")
        divisor = weight.divisor(name, lambda v, w=w: convolution(v[None], w, stride)[0])
        x = jax.nn.relu(convolution(x, w / divisor, stride)
                        + weight(f"{name}.bias")[:, None, None])
    w = weight("fc.weight")
    divisor = weight.divisor("fc", lambda v: w @ v)
    return (x.reshape(len(x), -1) @ w.T) / divisor + weight("fc.bias")
