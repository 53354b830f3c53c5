"""What is measured, and against what."""
from dataclasses import dataclass, field

PEERS = {
    "torch-eager": "PyTorch eager",
    "torch-eager-fused": "PyTorch eager, Adam(fused=True)",
    "torch-eager-channels_last": "PyTorch eager, channels_last",
    "torch-compile": "torch.compile, model",
    "torch-compile-channels_last": "torch.compile, channels_last",
    "torch-compile-optimizer": "torch.compile, model and optimizer",
    "jax": "JAX, jit",
}
DENSE = ["torch-eager", "torch-eager-fused", "torch-compile", "torch-compile-optimizer", "jax"]
IMAGES = DENSE[:2] + ["torch-eager-channels_last"] + DENSE[2:]
CRITIC = ["torch-eager", "torch-eager-fused", "torch-compile", "jax"]
INFERENCE = [
    "torch-eager", "torch-eager-channels_last", "torch-compile", "torch-compile-channels_last",
    "jax"]


@dataclass
class Benchmark:
    title: str
    peers: list
    # Steps of a round: enough for a median, few enough for all rounds to see the same machine.
    steps: int
    # The largest relative difference of the first ten losses (of numbers below 1: the absolute one).
    tolerance: float = 1e-3
    # Upper limits of the ratio of lgc's time to a competitor's, or to the least of several.
    targets: dict = field(default_factory=dict)


COMPILED = ("torch-compile", "torch-compile-optimizer")
BENCHMARKS = {
    "mlp": Benchmark(
        "MLP 784-512-512-10", DENSE, 40,
        targets={("torch-eager",): 0.45, (*COMPILED, "jax"): 0.60}),
    "mlp_spectral": Benchmark(
        "MLP, spectral norm", DENSE, 40, 5e-3,
        targets={("torch-eager",): 0.28, (*COMPILED, "jax"): 0.50}),
    "cnn": Benchmark(
        "CNN 1-32-64-64", IMAGES, 10,
        targets={("torch-eager",): 0.45, ("torch-eager-channels_last",): 0.55,
                 ("torch-compile",): 0.45, ("jax",): 0.25, ("floor",): 1.25}),
    "cnn_spectral": Benchmark(
        "CNN, spectral norm of the operators", IMAGES, 8, 5e-3,
        targets={("torch-eager",): 0.45}),
    "residual": Benchmark("Residual CNN, 1.1 M parameters", IMAGES, 4),
    "critic_mlp": Benchmark(
        "WGAN-GP critic, MLP", CRITIC, 40,
        targets={("torch-eager",): 0.45, ("jax",): 0.75, ("plain",): 3}),
    "critic_conv": Benchmark(
        "WGAN-GP critic, convolutions", CRITIC, 10,
        targets={("torch-eager",): 0.36, ("plain",): 3}),
    "inference_cnn_1": Benchmark("CNN inference, batch 1", INFERENCE, 200),
    "inference_cnn_256": Benchmark("CNN inference, batch 256", INFERENCE, 15),
}
