import Model
import Rounding
import Tensors

/// The forward pass uses, of every output unit (row of a matrix, filter of a convolution) apart,
///
///     W̄ᵢ = gᵢ · Vᵢ / ‖Vᵢ‖₂
///
/// with V the stored weight and g trained beside it (Salimans & Kingma, 2016). g starts at the norms
/// of V's rows, so training starts where it would without the constraint.
///
/// It separates length from direction and bounds neither: g is free. What the network's constant is
/// `lgc bound` proves from the trained weights. A `scale` and the gamma of a batch normalisation have
/// one number per unit, which is its own g: they stay as they are.
///
/// The gradients are ∂/∂gᵢ = ⟨Gᵢ, Vᵢ⟩/‖Vᵢ‖ and ∂/∂Vᵢ = gᵢ/‖Vᵢ‖ · (Gᵢ − ⟨Gᵢ, Vᵢ⟩/‖Vᵢ‖² · Vᵢ).
public struct WeightNorm: Constraint {
  public static let kind = "weight_norm"
  public static let summary = "uses g · V / ‖V‖ per output unit, g and V trained"
  public static let examples: [Example] = [
    .good("{type: weight_norm}"),
    .bad("{type: weight_norm, «dim»: 0}", .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  public var needsBound: Bool { false }
  public var isCertifiedAfterTraining: Bool { false }
  public func refusal(_ linear: LinearOperator, norm: Norm) -> String? { nil }

  public func state(
    _ weight: Shape, of linear: LinearOperator, norm: Norm
  ) -> [WeightDeclaration] {
    units(weight, linear).map {
      [WeightDeclaration("g", $0.shape, .constant(1))]
    } ?? []
  }

  public func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    let g = context.graph
    let shape = g.shape(weight)
    guard let units = units(shape, context.linear), let length = context.state["g"] else {
      return weight
    }
    let factor = g.divide(length, norms(weight, units, g))
    let split = g.reshape(weight, to: units.split)
    return g.reshape(
      g.multiply(split, g.broadcast(factor, to: units.split, axes: units.axes)), to: shape)
  }

  public func start(
    _ initial: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    if let units = units(context.graph.shape(initial), context.linear) {
      context.update("g", norms(initial, units, context.graph))
    }
    return initial
  }

  /// ‖Vᵢ‖, of the shape of g; a trace is added under the root, which has no derivative at 0.
  private func norms(_ weight: Value, _ units: Units, _ g: GraphBuilder) -> Value {
    let squares = g.square(g.reshape(weight, to: units.split))
    let others = units.split.indices.filter { !units.axes.contains($0) }
    return g.unary(.squareRoot, g.add(g.sum(squares, others), tinyNorm * tinyNorm))
  }

  /// The weight's shape with the units on axes of their own.
  private struct Units {
    let split: Shape
    let axes: [Int]
    var shape: Shape { axes.map { split[$0] } }
  }

  private func units(_ weight: Shape, _ linear: LinearOperator) -> Units? {
    switch linear {
    case .dense, .convolution: Units(split: weight, axes: [0])
    // [in, filters/groups, …]: a unit is a filter of one group.
    case .transposedConvolution(_, let geometry):
      Units(
        split: [geometry.groups, weight[0] / geometry.groups] + weight[1...], axes: [0, 2])
    case .diagonal, .scaling, .separable, .normalisation: nil
    }
  }
}
