import Model
import Rounding
import Tensors

/// After each update every entry into [−c, c], the nearest point of that cube (Arjovsky et al.,
/// 2017).
///
/// All that the layer trains is clipped, biases and the beta of a normalisation too, as in the
/// published WGAN; the initial values are clipped before the first step. A bias does not change the
/// Lipschitz constant. The limit is the largest float32 not above c, so no stored entry exceeds c.
///
/// The cube itself has a bound, which needs no data and no weights. With R terms of |w| ≤ c in an
/// output and C in an input of the linear map,
///
///     ‖A‖∞ ≤ c·R,   ‖A‖₁ ≤ c·C,   ‖A‖₂ ≤ √(‖A‖₁·‖A‖∞) ≤ c·√(R·C)
///
/// and the matrix of entries c reaches all three. A dense layer of m units and n inputs has R = n and
/// C = m. A convolution has R = in/groups · taps and C = out/groups · (the most windows that read one
/// element); a transposed one the same with R and C exchanged. Of a `scale` the bound is c. Gamma of
/// a batch normalisation is clipped too, but it is divided by √running_var, so c alone says nothing.
public struct Clip: Constraint {
  public static let kind = "clip"
  public static let summary = "after each update every entry into [−c, c], biases too"
  public static let limit = Argument<Double>("c", "The largest entry.", in: .positive)
  public static let arguments: [any ArgumentDeclaration] = [limit]
  public static let shorthand: String? = "c"
  public static let examples: [Example] = [
    .good("{type: clip, c: 1e-3}"),
    .bad("{type: «clip»}", .missingKey),
    .bad("{type: clip, c: «0»}", .outOfRange),
    .bad("{type: «clip», c: 8}", .boundNotHeld),
  ]

  public let limit: Double

  public init(_ arguments: Arguments) { limit = arguments[Self.limit] }

  public var needsBound: Bool { false }
  public var holdsBiases: Bool { true }
  public var isCertifiedAfterTraining: Bool { false }
  public func refusal(_ linear: LinearOperator, norm: Norm) -> String? { nil }
  public func state(
    _ weight: Shape, of linear: LinearOperator, norm: Norm
  ) -> [WeightDeclaration] { [] }

  public func shortfall(of linear: LinearOperator, norm: Norm, bound: Double) -> Refusal? {
    guard let proved = staticBound(linear, norm: norm)?.bound, proved.value > bound else {
      return nil
    }
    let excess = UpperBound(proved: proved.value / bound)
    let largest = LowerBound(proved: limit * bound / proved.value)
    return Refusal(
      "entries within ±\(limit.yamlText) prove \(proved.text(significant: 4)) in \(norm.rawValue), "
        + "\(excess.text(significant: 3)) times the declared bound \(bound.yamlText)",
      help: "`c: \(largest.text(significant: 3))` holds it; without `lipschitz:` the bound is what "
        + "`clip` proves")
  }

  public func staticBound(
    _ linear: LinearOperator, norm: Norm
  ) -> (bound: UpperBound, heldBy: String)? {
    let rows: Int
    let columns: Int
    switch linear {
    case .dense(_, let outputs, let inputs): (rows, columns) = (inputs, outputs)
    case .convolution(_, let geometry):
      (rows, columns) = (geometry.largestRow, geometry.largestColumn)
    case .transposedConvolution(_, let geometry):
      (rows, columns) = (geometry.largestColumn, geometry.largestRow)
    case .diagonal: (rows, columns) = (1, 1)
    case .scaling, .separable, .normalisation: return nil
    }
    let terms =
      switch norm {
      case .linf: UpperBound(proved: Double(rows))
      case .l1: UpperBound(proved: Double(columns))
      case .l2: (UpperBound(proved: Double(rows)) * UpperBound(proved: Double(columns))).squareRoot()
      }
    return (UpperBound(proved: limit) * terms, "clip, entries within ±\(limit.yamlText)")
  }

  public func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value { weight }

  public func project(
    _ updated: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    let g = context.graph
    let limit = g.constant(largestFloat, g.shape(updated))
    return g.binary(.maximum, g.binary(.minimum, updated, limit), g.negate(limit))
  }

  public func start(
    _ initial: Value, bound: Double, _ context: ConstraintContext
  ) -> Value { project(initial, bound: bound, context) }

  private var largestFloat: Double {
    let nearest = Float(limit)
    return Double(Double(nearest) > limit ? nearest.nextDown : nearest)
  }
}

extension ConvolutionGeometry {
  /// The most terms in one output, and the most outputs' terms that one input element is in.
  fileprivate var largestRow: Int { axes.reduce(inputs / groups) { $0 * $1.kernel } }
  fileprivate var largestColumn: Int { outputs / groups * largestCover }
}
