import Rounding
import Tensors

/// y = Σ cᵢ·xᵢ over operands of one shape: the node that closes a residual connection.
///
/// It is structure, not a catalogued layer: descriptions write `residual:`, and resolution adds
/// this node with the coefficients of (shortcut, body).
public struct WeightedSum: Layer {
  public static let kind = "residual"
  public static let summary = "The weighted sum of a block's input and output."

  public let coefficients: [Double]

  public init(coefficients: [Double]) { self.coefficients = coefficients }

  /// The mean of `count` operands. 1/count is rounded down, so that the coefficients of the stored
  /// network do not sum up to more than 1.
  public init(meanOf count: Int) {
    coefficients = [Double](repeating: Directed.quotientDown(1, Double(count)), count: count)
  }

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    throw ArgumentProblem("`residual` is a block with its own layers", code: .wrongType)
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    guard let first = inputs.first, inputs.count == coefficients.count else {
      throw ShapeProblem("a sum of \(coefficients.count) values of one shape")
    }
    for shape in inputs where shape != first {
      throw ShapeProblem("\(first.shapeText) and \(shape.shapeText) cannot be added")
    }
    return first
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { .weightedSum(coefficients) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let terms = zip(coefficients, inputs).map { $0 == 1 ? $1 : g.multiply($1, $0) }
    return terms.dropFirst().reduce(terms[0]) { g.add($0, $1) }
  }
}

extension ResidualBlock.Mode {
  /// The coefficients of (shortcut, body) for a branch weight w.
  ///
  /// 1 − w is rounded down, so that (1 − w) + w ≤ 1 holds for the stored coefficients: rounded to
  /// nearest, a convex block of 1-Lipschitz parts could have a bound just above 1.
  func coefficients(_ weight: Double) -> [Double] {
    switch self {
    case .sum: return [1, weight]
    case .convex:
      let rest = 1 - weight
      // Exact for 0 ≤ w ≤ 1 by Fast2Sum: (1 − rest) − w is the rounding error.
      return [(1 - rest) - weight < 0 ? rest.nextDown : rest, weight]
    }
  }
}
