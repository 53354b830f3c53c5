"""What every competitor is given: weights, samples and labels, the same numbers for all."""
import gzip
import struct

import numpy as np

FOLDER = "/usr/share/datasets/fashion-mnist"
# Of the random images: how many, and what they are drawn by.
IMAGES, SEED = 512, 0


def weights(network, spectral):
    """PyTorch's default initialisation by a fixed seed; where the operator is normalised, also the
    vectors that its power iteration starts from, `<layer>.weight.spectral.v`."""
    rng = np.random.default_rng(SEED)
    tensors = {}
    for name, shape in network.WEIGHTS.items():
        layer = name.rsplit(".", 1)[0]
        inputs = int(np.prod(network.WEIGHTS[f"{layer}.weight"][1:]))
        tensors[name] = rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(inputs**0.5)
    if spectral:
        for layer, shape in network.CONSTRAINED.items():
            v = rng.standard_normal(shape)
            tensors[f"{layer}.weight.spectral.v"] = (v / np.linalg.norm(v)).astype(np.float32)
    return tensors


def critic_inputs(network):
    """Real and generated samples and the coefficients of the interpolations between them."""
    rng = np.random.default_rng(SEED + 1)
    shape = (network.BATCH, *network.INPUT)
    return {
        "real": rng.standard_normal(shape).astype(np.float32),
        "fake": (0.5 * rng.standard_normal(shape) + 0.3).astype(np.float32),
        "epsilon": rng.uniform(0, 1, network.BATCH).astype(np.float32),
    }


def batches(network, batch):
    """x [batches, batch, …] in [0, 1] and y [batches, batch], in the files' order."""
    if network.INPUT[0] == 3:
        x, y = images(network)
    else:
        x, y = read("train-images-idx3-ubyte", 16), read("train-labels-idx1-ubyte", 8)
        x = x.reshape(-1, *network.INPUT)
    n = len(y) // batch
    scaled = np.empty((n, batch, *network.INPUT), np.float32)
    for i in range(n):
        np.divide(x[i * batch:(i + 1) * batch], 255, out=scaled[i], dtype=np.float32)
    return scaled, y[: n * batch].astype(np.int64).reshape(n, batch)


def images(network):
    """Random images: time does not depend on what they show."""
    rng = np.random.default_rng(SEED + 2)
    x = rng.integers(0, 256, (IMAGES, *network.INPUT), dtype=np.uint8)
    return x, rng.integers(0, 10, IMAGES, dtype=np.uint8)


def write_idx(path, array):
    """MNIST's format: zero, zero, 8 (unsigned bytes), rank, extents, data."""
    with open(path, "wb") as f:
        f.write(bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape))
        f.write(np.ascontiguousarray(array).tobytes())


def read(name, offset):
    with gzip.open(f"{FOLDER}/{name}.gz") as f:
        return np.frombuffer(f.read(), np.uint8, offset=offset)
