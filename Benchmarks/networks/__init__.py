"""The benchmarks' networks, one a file, each in PyTorch and JAX with the weights' names of lgc.

A module states

    BATCH, INPUT, RATE, BETAS   batch, shape of a sample, Adam's learning rate and betas
    WEIGHTS                     name → shape; `weight` and `bias` of a layer
    CONSTRAINED                 layer → shape of its operator's input, for the spectral variant
    torch_module()              an nn.Module with these names of weights
    jax_forward(weight, x)      the outputs; `weight(name)` gives a tensor, `weight.divisor(layer,
                                operator)` σ̂ of a layer's operator in the spectral variant, else 1
"""
import importlib


def network(name):
    """The module of a benchmark such as `cnn_spectral`."""
    return importlib.import_module(f"networks.{name.removesuffix('_spectral')}")
