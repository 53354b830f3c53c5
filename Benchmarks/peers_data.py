"""Fashion-MNIST as PyTorch tensors in [0, 1], from the files of the Debian package."""
import gzip

import numpy as np
import torch

FOLDER = "/usr/share/datasets/fashion-mnist"


def read(name, offset):
    with gzip.open(f"{FOLDER}/{name}.gz") as f:
        return np.frombuffer(f.read(), np.uint8, offset=offset)


def fashion_mnist():
    def split(prefix):
        x = read(f"{prefix}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
        y = read(f"{prefix}-labels-idx1-ubyte", 8)
        return torch.from_numpy(x.astype(np.float32) / 255), torch.from_numpy(y.astype(np.int64))

    return split("train"), split("t10k")
