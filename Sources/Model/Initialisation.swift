import Tensors

/// The first values of a tensor, row-major: a pure function of initializer, shape, name and seed,
/// so adding a layer does not shift the numbers of the others.
public func materialise(
  _ initializer: Initializer, shape: Shape, name: String, seed: UInt64
) -> [Float] {
  let count = shape.elementCount
  var generator = PhiloxGenerator(seed: seed, stream: name)
  switch initializer {
  case .constant(let number):
    return [Float](repeating: Float(number), count: count)
  case .uniform(let bound):
    return (0..<count).map { _ in Float((2 * generator.uniform() - 1) * bound) }
  case .normal(let deviation):
    return (0..<count).map { _ in Float(generator.normal() * deviation) }
  case .unitVector:
    let direction = (0..<count).map { _ in generator.normal() }
    let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return direction.map { Float($0 / norm) }
  }
}
