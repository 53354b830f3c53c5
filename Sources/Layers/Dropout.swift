import Model
import Tensors

/// In training each element is zero with probability p, and x / (1 − p) otherwise; in evaluation
/// y = x.
///
/// The proved constant, 1, is that of evaluation. The mask of step t is a pure function of seed,
/// layer name and t, so a resumed run draws what an unbroken one would have drawn.
public struct Dropout: ElementwiseLayer {
  public static let kind = "dropout"
  public static let summary = "zeroes elements at random in training; y = x otherwise"
  public static let rate = Argument<Double>(
    "rate", "Probability of a zero.", default: 0.5, in: .unitBelowOne)
  public static let arguments: [any ArgumentDeclaration] = [rate]
  public static let shorthand: String? = "rate"
  public static let examples: [Example] = [
    .good("dropout", input: [16]),
    .good("dropout: 0.1", input: [4, 5, 3]),
    .good("dropout: {rate: 0}", input: [16]),
    .bad("dropout: {rate: «1»}", input: [16], .outOfRange),
    .bad("dropout: {rate: «-0.1»}", input: [16], .outOfRange),
  ]

  public let rate: Double

  public init(_ arguments: Arguments) { rate = arguments[Self.rate] }

  var slopes: SlopeRange { SlopeRange(1, 1) }
  public var isRandomInTraining: Bool { rate > 0 }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  /// A uniform number on [0, 1) is at least p with probability 1 − p.
  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    guard context.mode == .training, rate > 0 else { return x }
    let g = context.graph
    guard let step = context.step else {
      fatalError("lgc's own bug: dropout is lowered for training without a step counter")
    }
    let shape = g.shape(x)
    let uniform = g.random(stream: context.randomStream, counter: step, shape)
    let kept = g.binary(.greaterOrEqual, uniform, g.constant(rate, shape))
    return g.multiply(x, g.multiply(kept, 1 / (1 - rate)))
  }
}
