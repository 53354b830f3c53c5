"""JAX's training step and inference, each one jitted function."""
import given


class Weights:
    """The tensors of a forward pass by name; in the spectral variant also the norms of operators,
    by one power iteration a step."""

    def __init__(self, parameters, vectors):
        self.parameters, self.vectors, self.new = parameters, vectors, {}

    def __call__(self, name):
        return self.parameters[name]

    def divisor(self, layer, operator):
        import jax
        import jax.numpy as jnp

        if layer not in self.vectors:
            return 1.0

        def unit(t):
            return t / jnp.maximum(jnp.sqrt(jnp.sum(t * t)), 1e-12)

        def constant(f, *operands):
            return jax.lax.stop_gradient(f(*operands))

        v = self.vectors[layer]
        transposed = jax.linear_transpose(operator, v)
        u = constant(lambda v: unit(operator(v)), v)
        v = constant(lambda u: unit(transposed(u)[0]), u)
        self.new[layer] = v
        return jnp.sum(u * operator(v))


def split(weights):
    import jax.numpy as jnp

    ending = ".weight.spectral.v"
    parameters = {k: jnp.asarray(v) for k, v in weights.items() if not k.endswith(ending)}
    vectors = {
        k.removesuffix(ending): jnp.asarray(v) for k, v in weights.items() if k.endswith(ending)}
    return parameters, vectors


def classification(network):
    import jax
    import jax.numpy as jnp

    def loss(parameters, vectors, x, y):
        weights = Weights(parameters, vectors)
        outputs = jax.nn.log_softmax(network.jax_forward(weights, x))
        return -jnp.take_along_axis(outputs, y[:, None], 1).mean(), weights.new

    return loss


def penalised(network):
    """E D(fake) − E D(real) + 10·E (‖∇D(x̂)‖ − 1)², x̂ between real and fake."""
    import jax
    import jax.numpy as jnp

    def loss(parameters, vectors, real, fake, epsilon):
        def scores(x):
            return network.jax_forward(Weights(parameters, {}), x)

        epsilon = epsilon.reshape(-1, *[1] * len(network.INPUT))
        between = fake + epsilon * (real - fake)
        gradient = jax.grad(lambda x: scores(x).sum())(between)
        norms = jnp.sqrt(jnp.sum(gradient.reshape(len(real), -1) ** 2, 1))
        penalty = ((norms - 1) ** 2).mean()
        return scores(fake).mean() - scores(real).mean() + 10 * penalty, {}

    return loss


def training_step(benchmark, network, weights, words):
    import jax
    import jax.numpy as jnp
    import numpy as np

    parameters, vectors = split(weights)
    if benchmark.startswith("critic"):
        loss = penalised(network)
        inputs = {k: jnp.asarray(v) for k, v in given.critic_inputs(network).items()}
        arguments = lambda i: (inputs["real"], inputs["fake"], inputs["epsilon"])
    else:
        loss = classification(network)
        xs, ys = given.batches(network, network.BATCH)
        xs = [jnp.asarray(x) for x in xs]
        ys = [jnp.asarray(y.astype(np.int32)) for y in ys]
        arguments = lambda i: (xs[i % len(xs)], ys[i % len(ys)])
    if vectors:
        warm = jax.jit(lambda vectors, *a: loss(parameters, vectors, *a)[1])
        for _ in range(15):
            vectors = warm(vectors, *arguments(0))
    beta1, beta2 = network.BETAS

    def train(state, *batch):
        parameters, m, v, t, vectors = state
        (value, vectors), g = jax.value_and_grad(loss, has_aux=True)(parameters, vectors, *batch)
        t = t + 1
        c1, c2 = 1 - beta1**t, 1 - beta2**t
        m = jax.tree.map(lambda a, b: beta1 * a + (1 - beta1) * b, m, g)
        v = jax.tree.map(lambda a, b: beta2 * a + (1 - beta2) * b * b, v, g)
        parameters = jax.tree.map(
            lambda p, a, b: p - network.RATE * (a / c1) / (jnp.sqrt(b / c2) + 1e-8),
            parameters, m, v)
        return (parameters, m, v, t, vectors), value

    jitted = jax.jit(train, donate_argnums=0)
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
    box = [(parameters, zeros(), zeros(), jnp.float32(0), vectors)]

    def step(i):
        box[0], value = jitted(box[0], *arguments(i))
        value.block_until_ready()
        return value

    return step


def inference(network, weights, words, batch):
    import jax
    import jax.numpy as jnp

    parameters, _ = split(weights)
    xs, _ = given.batches(network, batch)
    xs = [jnp.asarray(x) for x in xs[:100]]
    forward = jax.jit(lambda p, x: network.jax_forward(Weights(p, {}), x))

    def step(i):
        return forward(parameters, xs[i % len(xs)]).block_until_ready()

    return step


def version():
    import jax

    return f"JAX {jax.__version__}"


def set_threads(threads):
    """XLA takes as many threads as the process may use CPUs: give it that many."""
    import os

    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
