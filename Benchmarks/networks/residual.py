"""A residual network on 3×32×32 with 1.1 million parameters.

A convolution 3→32, one 32→64 of stride 2, two residual blocks, one 64→128 of stride 2, three
residual blocks, the mean over the image, 128→10. A block is x + conv(relu(conv(x))), then ReLU; all
convolutions are 3×3 with padding 1.
"""
BATCH, INPUT, RATE, BETAS = 64, (3, 32, 32), 1e-3, (0.9, 0.999)
# (name, inputs, outputs, stride) or (name, channels) of a block, whose two are `name`.conv1 and .conv2.
STAGES = [
    ("stem", 3, 32, 1), ("down1", 32, 64, 2), ("block1", 64), ("block2", 64),
    ("down2", 64, 128, 2), ("block3", 128), ("block4", 128), ("block5", 128),
]
CONVOLUTIONS = [
    part
    for stage in STAGES
    for part in (
        [stage] if len(stage) == 4
        else [(f"{stage[0]}.conv{i}", stage[1], stage[1], 1) for i in (1, 2)])
]
WEIGHTS = {
    f"{name}.{kind}": shape
    for name, inputs, outputs, _ in CONVOLUTIONS
    for kind, shape in [("weight", (outputs, inputs, 3, 3)), ("bias", (outputs,))]
} | {"fc.weight": (10, 128), "fc.bias": (10,)}


def torch_module():
    import torch
    from torch import nn

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            for stage in STAGES:
                if len(stage) == 4:
                    name, inputs, outputs, stride = stage
                    part = nn.Conv2d(inputs, outputs, 3, stride, padding=1)
                else:
                    name, channels = stage
                    part = nn.ModuleDict({
                        c: nn.Conv2d(channels, channels, 3, padding=1) for c in ("conv1", "conv2")})
                setattr(self, name, part)
            self.fc = nn.Linear(128, 10)

        def forward(self, x):
            for stage in STAGES:
                if len(stage) == 4:
                    x = torch.relu(getattr(self, stage[0])(x))
                else:
                    block = getattr(self, stage[0])
                    x = torch.relu(x + block["conv2"](torch.relu(block["conv1"](x))))
            return self.fc(x.mean((2, 3)))

    return Residual()


def jax_forward(weight, x):
    import jax

    def convolution(name, x, stride=1):
        y = jax.lax.conv_general_dilated(
            x, weight(f"{name}.weight"), (stride, stride), ((1, 1), (1, 1)))
        return y + weight(f"{name}.bias")[:, None, None]

    for stage in STAGES:
        if len(stage) == 4:
            x = jax.nn.relu(convolution(stage[0], x, stage[3]))
        else:
            hidden = jax.nn.relu(convolution(stage[0] + ".conv1", x))
            x = jax.nn.relu(x + convolution(stage[0] + ".conv2", hidden))
    return x.mean((2, 3)) @ weight("fc.weight").T + weight("fc.bias")
