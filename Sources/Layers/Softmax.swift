import Model
import Rounding
import Tensors

/// y_i = e^(x_i/T) / Σ_j e^(x_j/T) along one axis of a sample; 0 is the channels.
///
/// The Jacobian (diag(y) − y·yᵀ)/T is symmetric with row sums 2·y_i·(1 − y_i)/T of absolute values:
/// constant 1/(2·T) in every norm, reached where an element is 1/2, in l2 approached where two are
/// (Nair, "Softmax is 1/2-Lipschitz", 2025). Of one element it is constant.
public struct Softmax: Layer {
  public static let kind = "softmax"
  public static let summary = "probabilities along an axis: e^(x/T) divided by their sum"
  public static let axis = Argument<Int>(
    "axis", "The axis of a sample; 0 is the channels.", default: 0, in: .nonNegative)
  public static let temperature = Argument<Double>(
    "temperature", "T, what the input is divided by.", default: 1, in: .positive)
  public static let arguments: [any ArgumentDeclaration] = [axis, temperature]
  public static let examples: [Example] = [
    .good("softmax", input: [2]),
    .good("softmax: {temperature: 0.5}", input: [3]),
    .good("softmax: {axis: 1}", input: [2, 3]),
    .bad("softmax: {axis: «1»}", input: [6], .shapeMismatch),
    .bad("softmax: {temperature: «0»}", input: [6], .outOfRange),
    .bad("softmax: {axis: «-1»}", input: [6], .outOfRange),
  ]

  private let map: SoftmaxAxis

  public init(_ arguments: Arguments) {
    map = SoftmaxAxis(axis: arguments[Self.axis], temperature: arguments[Self.temperature])
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    try map.shape(Self.only(inputs))
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    if inputs[0][map.axis] == 1 { return .known(LipschitzConstants(l1: 0, l2: 0, linf: 0)) }
    let constant = map.over(2)
    return .known(LipschitzConstants(l1: constant, l2: constant, linf: constant))
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .within(1) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let exponentials = g.unary(.exp, map.shifted(inputs[0], g))
    return g.divide(exponentials, map.spread(g.sum(exponentials, [map.axis + 1]), inputs[0], g))
  }
}

/// What softmax and its logarithm share.
struct SoftmaxAxis {
  /// Of a sample.
  let axis: Int
  let temperature: Double

  func shape(_ input: Shape) throws(ShapeProblem) -> Shape {
    guard input.indices.contains(axis) else {
      throw ShapeProblem(
        "\(input.shapeText) has no axis \(axis)", argument: "axis",
        help: "the axes of a sample count from 0, without the batch")
    }
    return input
  }

  /// 1/(divisor·T), rounded up.
  func over(_ divisor: Double) -> Double {
    (UpperBound.one / (LowerBound(proved: divisor) * LowerBound(proved: temperature))).value
  }

  /// x/T less its largest element along the axis, so that no exponential overflows.
  func shifted(_ x: Value, _ g: GraphBuilder) -> Value {
    let scaled = temperature == 1 ? x : g.multiply(x, 1 / temperature)
    return g.subtract(
      scaled, spread(g.stopGradient(g.maximum(over: [axis + 1], scaled)), x, g))
  }

  /// One number along the axis to every element of it.
  func spread(_ value: Value, _ x: Value, _ g: GraphBuilder) -> Value {
    let shape = g.shape(x)
    return g.broadcast(value, to: shape, axes: shape.indices.filter { $0 != axis + 1 })
  }
}
