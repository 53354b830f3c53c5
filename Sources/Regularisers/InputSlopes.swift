import Model
import Tensors

extension RegularisedStep {
  /// ⟨c, z⟩ of each sample, [batch], for outputs z and a direction c of its own for every sample,
  /// uniform on the unit sphere and new in every step; z itself where it is one number.
  func projection(of outputs: Value) -> Value {
    let g = graph
    let shape = g.shape(outputs)
    let flat = [shape[0], shape.dropFirst().reduce(1, *)]
    let z = g.reshape(outputs, to: flat)
    if flat[1] == 1 { return g.reshape(z, to: [flat[0]]) }
    let c = normal("projection", flat)
    let norms = g.unary(.squareRoot, g.add(g.sum(g.square(c), [1]), 1e-24))
    return g.divide(g.sum(g.multiply(c, z), [1]), norms)
  }

  /// x_i + ε_i·(x_{i+1} − x_i), the batch's first sample after its last, ε uniform for each sample.
  func interpolations() -> Value {
    let g = graph
    let shape = g.shape(samples)
    if shape[0] == 1 { return samples }
    func rows(_ start: Int, _ end: Int) -> Value {
      let rest = Array(shape.dropFirst())
      return g.slice(
        samples, starts: [start] + rest.map { _ in 0 }, limits: [end] + rest,
        strides: shape.map { _ in 1 })
    }
    let next = g.concatenate([rows(1, shape[0]), rows(0, 1)], axis: 0)
    let share = g.broadcast(leading: uniform("interpolation", [shape[0]]), to: shape)
    return g.add(samples, g.multiply(share, g.subtract(next, samples)))
  }
}
