import Constraints
import Model
import Tensors
import Testing

private let smooth: [any Constraint] = [
  Frobenius(arguments()), Spectral(arguments()), Spectral(arguments(["of": Spectral.Subject.kernel])),
  WeightNorm(arguments()), AlmostOrthogonal(arguments()),
  AlmostOrthogonal(arguments(["of": AlmostOrthogonal.Side.outputs])),
  try! Orthogonal(arguments(["apply": Orthogonal.Application.forward])),
  try! Orthogonal(
    arguments(["apply": Orthogonal.Application.forward, "iterations": 2, "order": 2])),
  try! Orthogonal(arguments(["method": Orthogonal.Method.cayley])),
  try! Orthogonal(arguments(["method": Orthogonal.Method.exponential])),
  try! Orthogonal(arguments()), Clip(arguments(["c": 0.1])), Projection(arguments()),
]

private let operators: [(name: String, linear: LinearOperator, shape: Shape)] =
  [
    ("wide", .dense(weight: "w", outputs: 3, inputs: 5), [3, 5]),
    ("tall", .dense(weight: "w", outputs: 5, inputs: 3), [5, 3]),
  ] + kernels

/// ∂⟨G, W̄⟩ against central differences in Double, in the weight and in what is trained beside it;
/// power-iteration vectors are constants.
@Suite struct ConstraintGradientTests {
  @Test(arguments: smooth.indices, operators.indices)
  func gradientsAreDifferences(_ index: Int, _ place: Int) throws {
    let (name, linear, shape) = operators[place]
    let run = ConstraintRun(smooth[index], shape, linear, bound: 0.7)
    let warm = try run.warm(normals(shape, seed: 1).map { $0 * 0.5 }, steps: 3)
    let pulled = normals(shape, seed: 2)
    func value(_ weight: [Double], _ state: [String: [Double]]) throws -> Double {
      let found = try run(.reparametrise, weight, state: state, mode: .evaluation)
      return zip(found.weight, pulled).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let found = try run(
      .reparametrise, warm.weight, state: warm.state, mode: .evaluation, pulled: pulled)
    let step = 1e-5
    for (tensor, gradient) in found.gradients {
      let scale = gradient.map(abs).max()! + 1e-3
      for element in Set([0, 1, gradient.count / 2, gradient.count - 1]) {
        guard element < gradient.count else { continue }
        func moved(_ by: Double) throws -> Double {
          var (weight, state) = (warm.weight, warm.state)
          if tensor == "w" { weight[element] += by } else { state[tensor]![element] += by }
          return try value(weight, state)
        }
        let difference = (try moved(step) - moved(-step)) / (2 * step)
        #expect(
          abs(difference - gradient[element]) < 1e-6 * scale,
          "\(smooth[index]) \(name) \(tensor)[\(element)]: \(gradient[element]), \(difference)")
      }
    }
  }
}
