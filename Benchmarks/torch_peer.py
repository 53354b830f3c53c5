"""PyTorch's training step and inference, in the ways that a user would write them."""
import warnings

import numpy as np

import given

warnings.filterwarnings("ignore")


def load(network, weights):
    import torch

    module = network.torch_module()
    state = {k: torch.from_numpy(v) for k, v in weights.items() if "spectral" not in k}
    module.load_state_dict(state)
    return module


def constrain(network, module, weights):
    """Divides every constrained layer by the norm of its operator, by one power iteration a step
    from the given vector, which fifteen iterations draw near first."""
    import torch
    from torch import nn
    from torch.nn import functional as F
    from torch.nn.utils import parametrize

    class OperatorNorm(nn.Module):
        """For convolutions: `torch.nn.utils` has the norm of the reshaped kernel only, which bounds
        nothing."""

        def __init__(self, layer, v):
            super().__init__()
            self.stride, self.extents = layer.stride, v.shape[1:]
            self.register_buffer("v", v[None])
            self.register_buffer("u", torch.zeros_like(self.image(self.v, layer.weight)))
            with torch.no_grad():
                for _ in range(15):
                    self.iterate(layer.weight)

        def image(self, v, w):
            return F.conv2d(v, w, stride=self.stride, padding=1)

        def coimage(self, u, w):
            odd = [
                n - ((m - 1) * s + 1)
                for n, m, s in zip(self.extents, u.shape[2:], self.stride)]
            return F.conv_transpose2d(u, w, stride=self.stride, padding=1, output_padding=odd)

        def iterate(self, w):
            self.u.copy_(F.normalize(self.image(self.v, w), dim=(1, 2, 3)))
            self.v.copy_(F.normalize(self.coimage(self.u, w), dim=(1, 2, 3)))

        def forward(self, w):
            if self.training:
                with torch.no_grad():
                    self.iterate(w)
            # The buffers change in place at the next step; the gradient needs this step's.
            return w / (self.u.clone() * self.image(self.v.clone(), w)).sum()

    for layer in network.CONSTRAINED:
        part = getattr(module, layer)
        v = torch.from_numpy(weights[f"{layer}.weight.spectral.v"])
        if isinstance(part, nn.Linear):
            with torch.no_grad():
                for _ in range(15):
                    u = F.normalize(part.weight @ v, dim=0)
                    v = F.normalize(part.weight.T @ u, dim=0)
            nn.utils.parametrizations.spectral_norm(part)
            part.parametrizations.weight[0]._u.copy_(u)
            part.parametrizations.weight[0]._v.copy_(v)
        else:
            norm = OperatorNorm(part, v)
            # Registering runs it once, and that must not count as a step.
            norm.eval()
            parametrize.register_parametrization(part, "weight", norm)
            norm.train()


def supervised(network, module, channels_last, batch):
    import torch
    from torch import nn

    xs, ys = given.batches(network, batch)
    xs, ys = torch.from_numpy(xs), torch.from_numpy(ys)
    if channels_last:
        # Once and for all: what is timed is the step.
        xs = [x.contiguous(memory_format=torch.channels_last) for x in xs]
    criterion = nn.CrossEntropyLoss()

    def loss(x, y):
        return criterion(module(x), y)

    return loss, lambda i: (xs[i % len(xs)], ys[i % len(ys)])


def critic(network, module):
    """E D(fake) − E D(real) + 10·E (‖∇D(x̂)‖ − 1)², x̂ between real and fake."""
    import torch

    inputs = {k: torch.from_numpy(v) for k, v in given.critic_inputs(network).items()}
    epsilon = inputs["epsilon"].reshape(-1, *[1] * len(network.INPUT))

    def loss(real, fake):
        between = (fake + epsilon * (real - fake)).requires_grad_(True)
        scores = module(between)
        gradient, = torch.autograd.grad(scores.sum(), between, create_graph=True)
        norms = gradient.flatten(1).norm(dim=1)
        penalty = ((norms - 1) ** 2).mean()
        return module(fake).mean() - module(real).mean() + 10 * penalty

    return loss, lambda i: (inputs["real"], inputs["fake"])


def training_step(benchmark, network, weights, words):
    import torch

    module = load(network, weights)
    if benchmark.endswith("_spectral"):
        constrain(network, module, weights)
    if "channels_last" in words:
        module = module.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(
        module.parameters(), lr=network.RATE, betas=network.BETAS, fused="fused" in words)
    if benchmark.startswith("critic"):
        loss, inputs = critic(network, module)
    else:
        loss, inputs = supervised(network, module, "channels_last" in words, network.BATCH)
    update = optimizer.step
    if "compile" in words:
        loss = torch.compile(loss)
    if "optimizer" in words:
        update = torch.compile(lambda: optimizer.step())

    def step(i):
        optimizer.zero_grad(set_to_none=True)
        value = loss(*inputs(i))
        value.backward()
        update()
        return value.detach()

    return step


def inference(network, weights, words, batch):
    import torch

    module = load(network, weights).eval()
    xs, _ = given.batches(network, batch)
    xs = torch.from_numpy(xs[:100].copy())
    if "channels_last" in words:
        module = module.to(memory_format=torch.channels_last)
        xs = [x.contiguous(memory_format=torch.channels_last) for x in xs]
    if "compile" in words:
        module = torch.compile(module)

    def step(i):
        with torch.inference_mode():
            return module(xs[i % len(xs)])

    return step


def version():
    import torch

    return f"PyTorch {torch.__version__}"


def set_threads(threads):
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
