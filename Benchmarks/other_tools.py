"""What other tools say about operators whose norm can be computed, beside what lgc proves.

    python other_tools.py --lgc PATH [--output ../Documentation/other-tools.md]

Every row is one layer or small network with explicit weights. *True* is the L2 operator norm of the
matrix that the tool's own layer applies, built by running it on the unit vectors in float64 and
taking the largest singular value (good to about 1e-12; for the last row the comparison is exact, in
rational arithmetic). *lgc* is `lgc bound` of the same weights. A tool's number below the true one
is a claim that does not hold. Needs the packages that `setup_other_tools.sh` installs; GloRo runs
in an environment of its own, because it needs TensorFlow.
"""
import argparse, fractions, json, math, pathlib, subprocess, sys, tempfile

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
torch.set_num_threads(2)


def true_norm(apply, shape):
    """The largest singular value of the linear part of `apply` on inputs of `shape`."""
    count = math.prod(shape)
    with torch.no_grad():
        offset = apply(torch.zeros(1, *shape, dtype=torch.float64)).reshape(-1)
        images = apply(torch.eye(count, dtype=torch.float64).reshape(count, *shape))
        return torch.linalg.matrix_norm((images.reshape(count, -1) - offset).T, 2).item()


class LGC:
    def __init__(self, path):
        self.path = path

    def bound(self, shape, layers, weights):
        """`lgc bound` of a network given as the lines of its `layers:` list."""
        with tempfile.TemporaryDirectory() as folder:
            text = f"lgc: 1\nname: row\nmodel:\n  input: {list(shape)}\n  layers:\n"
            text += "".join(f"    - {line}\n" for line in layers)
            pathlib.Path(folder, "row.yaml").write_text(text)
            arrays = {k: np.ascontiguousarray(np.asarray(v, np.float32)) for k, v in weights.items()}
            if not arrays:
                arrays = {}
            save_file(arrays, f"{folder}/row.safetensors")
            done = subprocess.run(
                [self.path, "bound", f"{folder}/row.yaml", "--weights", f"{folder}/row.safetensors",
                 "--format", "json", "--norm", "l2"], capture_output=True, text=True)
            if done.returncode not in (0, 1):
                sys.exit(f"lgc bound failed on {layers}:\n{done.stderr}")
            return json.loads(done.stdout)["upper"]


def torch_spectral_norm(lgc):
    """The parametrisation divides by the norm of the reshaped kernel, which is not the convolution."""
    for kernel, stride, padding in [(3, 1, 1), (5, 1, 2), (3, 2, 1)]:
        layer = nn.Conv2d(1, 1, kernel, stride=stride, padding=padding, bias=False)
        layer = nn.utils.parametrizations.spectral_norm(layer)
        with torch.no_grad():
            layer.parametrizations.weight.original.fill_(1.0)
            for _ in range(50):
                layer(torch.zeros(1, 1, 12, 12))
        layer.eval()
        weight = layer.weight.detach()
        plain = nn.Conv2d(1, 1, kernel, stride=stride, padding=padding, bias=False).double()
        plain.weight.data = weight.double()
        yield (f"PyTorch {torch.__version__.split('+')[0]} `spectral_norm`",
               f"conv {kernel}×{kernel} stride {stride} padding {padding}, kernel of ones, 12×12", 1.0,
               true_norm(plain, (1, 12, 12)),
               lgc.bound((1, 12, 12), [f"conv: {{name: c, filters: 1, kernel: {kernel}, stride: "
                         f"{stride}, padding: {padding}, bias: false}}"], {"c.weight": weight}))


def torchlip(lgc):
    """Layers that promise the constant 1."""
    from importlib.metadata import version

    from deel import torchlip as tl

    tool = f"deel-torchlip {version('deel-torchlip')}"
    convolutions = [
        (tl.SpectralConv2d, 8, 3, 1, 1, 1, "reflect"),
        (tl.SpectralConv2d, 8, 5, 1, 2, 1, "reflect"),
        (tl.SpectralConv2d, 8, 5, 1, 2, 1, "replicate"),
        (tl.SpectralConv2d, 9, 3, 2, 1, 1, "reflect"),
        (tl.SpectralConv2d, 9, 3, 2, 2, 2, "zeros"),
        (tl.SpectralConv2d, 9, 2, 2, 2, 2, "zeros"),
        (tl.SpectralConv2d, 9, 3, 3, 3, 3, "zeros"),
        (tl.FrobeniusConv2d, 8, 3, 1, 1, 1, "reflect"),
    ]
    for cls, size, kernel, stride, padding, dilation, mode in convolutions:
        torch.manual_seed(0)
        layer = cls(1, 1, kernel, stride=stride, padding=padding, dilation=dilation,
                    padding_mode=mode, bias=False)
        with torch.no_grad():
            layer.parametrizations.weight.original.fill_(1.0)
        layer.train()
        for _ in range(30):
            layer(torch.zeros(1, 1, size, size))
        layer.eval()
        weight = layer.weight.detach().clone()
        written = f"conv: {{name: c, filters: 1, kernel: {kernel}, stride: {stride}, padding: {padding}, " \
                  f"dilation: {dilation}, padding_mode: {mode}, bias: false}}"
        yield (tool, f"`{cls.__name__}` {kernel}×{kernel} stride {stride} padding {padding} dilation "
               f"{dilation} {mode}, {size}×{size}", 1.0, true_norm(layer.double(), (1, size, size)),
               lgc.bound((1, size, size), [written], {"c.weight": weight}))
    for kernel, size in [(2, 7), (3, 7), (3, 8)]:
        layer = tl.ScaledAvgPool2d(kernel, ceil_mode=True).double()
        yield (tool, f"`ScaledAvgPool2d` {kernel}×{kernel} ceil_mode, {size}×{size}", 1.0,
               true_norm(layer, (1, size, size)),
               lgc.bound((1, size, size), [f"average_pool: {{kernel: {kernel}, ceil_mode: true}}",
                         f"scale: {{value: {kernel}}}"], {}))


def eclipse(lgc):
    """A network of one unit: its constant is the largest slope of the activation."""
    from importlib.metadata import version

    from eclipse_nn.LipConstEstimator import LipConstEstimator

    tool = f"eclipse-nn {version('eclipse-nn')}"

    def said(*layers):
        model = nn.Sequential(*layers)
        with torch.no_grad():
            for layer in model:
                if isinstance(layer, nn.Linear):
                    layer.weight.fill_(1.0)
        return float(LipConstEstimator(model=model).estimate("ECLipsE_Fast"))

    x = torch.linspace(0, 4, 4_000_001, dtype=torch.float64, requires_grad=True)
    nn.functional.gelu(x).sum().backward()
    ones = {"dense_1.weight": [[1]], "dense_1.bias": [0], "dense_2.weight": [[1]], "dense_2.bias": [0]}
    yield (tool, "dense 1 → gelu → dense 1, weights 1", said(nn.Linear(1, 1), nn.GELU(), nn.Linear(1, 1)),
           x.grad.max().item(), lgc.bound((1,), ["dense: 1", "gelu", "dense: 1"], ones))
    conv = nn.Conv1d(1, 1, 1, bias=False)
    with torch.no_grad():
        conv.weight.fill_(10.0)
    yield (tool, "conv 1×1 (weight 10) → dense 1 → relu → dense 1",
           said(conv, nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)), 10.0,
           lgc.bound((1, 1), ["conv: {filters: 1, kernel: 1, bias: false}", "flatten", "dense: 1", "relu",
                     "dense: 1"], {"conv_1.weight": [[[10]]], **ones}))


GLORO = r"""
import os, json
os.environ["TF_USE_LEGACY_KERAS"] = "1"; os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np, tensorflow as tf, gloro
from gloro.lipschitz_computation import LipschitzComputer
k = tf.keras
def said(model):
    computers = LipschitzComputer.for_model(model, 100, exclude_last_layer=False)
    return float(LipschitzComputer.global_lipschitz_bound(computers))
x = k.Input((8, 8, 1))
pool = said(k.Model(x, k.layers.MaxPooling2D(3, strides=1)(x)))
x = k.Input((1,)); d = k.layers.Dense(1, use_bias=False)
model = k.Model(x, k.layers.Add()([x, d(x)])); d.set_weights([np.array([[0.1]], "float32")])
from importlib.metadata import version
print(json.dumps({"version": version("gloro"), "pool": pool, "branch": said(model)}))
"""


def gloro(lgc, python):
    if not pathlib.Path(python).exists():
        print("(GloRo's environment is missing: its rows are left out)", file=sys.stderr)
        return
    done = subprocess.run([python, "-c", GLORO], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    said = json.loads(done.stdout.strip().splitlines()[-1])
    tool = f"GloRo {said['version']}"
    # One pixel is the largest of nine windows: moving it moves nine outputs.
    yield (tool, "max pool 3×3 stride 1, 8×8", said["pool"], 3.0,
           lgc.bound((1, 8, 8), ["max_pool: {kernel: 3, stride: 1}"], {}))
    yield (tool, "x + 0.1·x by `Add`", said["branch"], 1.1,
           lgc.bound((1,), ["dense: {name: d, units: 1, bias: false, residual: sum}"],
                     {"d.weight": [[np.float32(0.1)]]}))


def exceeds(matrix, number):
    """Whether σ(matrix) > number, decided exactly: number²·I − AᵀA has a negative pivot."""
    rows = [[fractions.Fraction(float(v)) for v in row] for row in matrix]
    n = len(rows[0])
    t = fractions.Fraction(float(number)) ** 2
    m = [[(t if i == j else 0) - sum(r[i] * r[j] for r in rows) for j in range(n)] for i in range(n)]
    for k in range(n):
        if m[k][k] < 0 or (m[k][k] == 0 and any(m[k][j] != 0 for j in range(k, n))):
            return True
        if m[k][k] == 0:
            continue
        for i in range(k + 1, n):
            factor = m[i][k] / m[k][k]
            for j in range(k, n):
                m[i][j] -= factor * m[k][j]
    return False


def svdvals(lgc, count):
    """How often the number lies below the true norm."""
    rng = np.random.default_rng(0)
    below, ours = 0, 0
    for _ in range(count):
        matrix = rng.standard_normal((6, 4)).astype(np.float32)
        below += exceeds(matrix, np.linalg.svd(matrix.astype(np.float64), compute_uv=False)[0])
        upper = lgc.bound((4,), ["dense: {name: d, units: 6, bias: false}"], {"d.weight": matrix})
        ours += exceeds(matrix, upper)
    return below, ours


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lgc", required=True)
    parser.add_argument("--gloro-python", default=str(HERE / ".venv-gloro/bin/python"))
    parser.add_argument("--matrices", type=int, default=200)
    parser.add_argument("--output")
    arguments = parser.parse_args()
    lgc = LGC(arguments.lgc)
    lines = ["| tool | operator | says | true | lgc proves |", "|---|---|---|---|---|"]
    wrong = 0
    rows = [*torch_spectral_norm(lgc), *torchlip(lgc), *eclipse(lgc), *gloro(lgc, arguments.gloro_python)]
    for tool, what, said, true, ours in rows:
        mark = " (below)" if said < true * (1 - 1e-9) else ""
        wrong += bool(mark)
        if ours is None or ours < true * (1 - 1e-11):
            sys.exit(f"lgc's bound {ours} of {what} does not hold: {true}")
        lines.append(f"| {tool} | {what} | {said:.6g}{mark} | {true:.6g} | {ours:.7g} |")
    below, ours = svdvals(lgc, arguments.matrices)
    lines.append(f"| NumPy {np.__version__} `svd` in float64 | {arguments.matrices} random 6×4 matrices, "
                 f"decided exactly | below in {below} | | below in {ours} |")
    text = "\n".join(lines) + "\n"
    print(text)
    print(f"{wrong} of {len(rows)} claims lie below the true norm")
    if arguments.output:
        path = pathlib.Path(arguments.output)
        before, _, rest = path.read_text().partition("<!-- table -->\n")
        _, _, after = rest.partition("<!-- end -->")
        path.write_text(before + "<!-- table -->\n" + text + "<!-- end -->" + after)


main()
