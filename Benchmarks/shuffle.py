"""lgc's random numbers and its order of samples: the same for every competitor."""
import numpy as np

M0, M1, W0, W1 = 0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85
MASK = np.uint64(0xFFFFFFFF)


def philox(key, index, high):
    """Philox4x32-10 (Salmon et al. 2011) of counters (index, high): an array [len(index), 4]."""
    index = np.asarray(index, np.uint64)
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    c0, c1 = index & MASK, index >> np.uint64(32)
    c2 = np.full_like(index, high & 0xFFFFFFFF)
    c3 = np.full_like(index, high >> 32)
    for _ in range(10):
        p0, p1 = np.uint64(M0) * c0, np.uint64(M1) * c2
        c0, c1, c2, c3 = (
            (p1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0), p1 & MASK,
            (p0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1), p0 & MASK)
        k0, k1 = (k0 + W0) & 0xFFFFFFFF, (k1 + W1) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], 1)


def stream(seed, name):
    """The key of a named stream: FNV-1a of the name, mixed with the seed by Philox itself."""
    digest = 0xCBF29CE484222325
    for byte in name.encode():
        digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    words = philox(seed, [digest], 0x6C67632E6B657973)[0]
    return int(words[0]) | int(words[1]) << 32


def order(seed, epoch, count):
    """The order of samples in an epoch, from 0 (Fisher and Yates from the end)."""
    words = philox(stream(seed, f"shuffle.{epoch}"), np.arange((count + 3) // 4), 0).reshape(-1)
    result = list(range(count))
    for word, last in zip(words.tolist(), range(count - 1, 0, -1)):
        other = (word * (last + 1)) >> 32
        result[last], result[other] = result[other], result[last]
    return np.array(result)


def uniform(seed, name, count):
    """The first `count` numbers on [0, 1) that lgc's host code draws from a named stream."""
    words = philox(stream(seed, name), np.arange((2 * count + 3) // 4), 0).reshape(-1)
    pairs = words[:2 * count].reshape(-1, 2)
    return ((pairs[:, 0] | pairs[:, 1] << np.uint64(32)) >> np.uint64(11)) * 2.0**-53


def step_uniform(seed, name, step, count):
    """Those that lgc's programs draw from it in a step, in float32."""
    words = philox(stream(seed, name), np.arange((count + 3) // 4), step).reshape(-1)[:count]
    return (words >> np.uint64(8)).astype(np.float32) * np.float32(2.0**-24)


def normal(u, v):
    """Box and Muller, in float32."""
    u, v = u.astype(np.float64), v.astype(np.float64)
    return (np.sqrt(-2 * np.log(1 - u)) * np.cos(2 * np.pi * v)).astype(np.float32)
