import Model
import Tensors

/// What `ls_gan` and `gls_gan` share: the network L is itself a loss, low at real samples, and must
/// be higher at a generated sample by a margin that grows with its distance to a real one.
///
///     a = margin_scale·Δ(x_r, x_f) + L(x_r) − L(x_f)
///     critic     real_weight·E L(x_r) + hinge_weight·E max(a, ν·a)
///     generator  E L(x_f)
struct MarginLoss: Sendable {
  static let marginScale = Argument<Double>(
    "margin_scale", "Of the distance, for the margin.", default: 2e-4, in: .nonNegative)
  static let distance = Argument<SampleDistance>(
    "distance", "Δ, between paired samples.", default: .l1Sum)
  static let hingeWeight = Argument<Double>(
    "hinge_weight", "Of the margin's part of the loss.", default: 1, in: .nonNegative)
  static let realWeight = Argument<Double>(
    "real_weight", "Of the mean of L at real samples.", default: 0, in: .nonNegative)
  static let arguments: [any ArgumentDeclaration] = [
    marginScale, distance, hingeWeight, realWeight,
  ]

  let marginScale: Double
  let distance: SampleDistance
  let hingeWeight: Double
  let realWeight: Double
  /// ν ≤ 1
  let slope: Double

  init(_ arguments: Arguments, slope: Double) {
    marginScale = arguments[Self.marginScale]
    distance = arguments[Self.distance]
    hingeWeight = arguments[Self.hingeWeight]
    realWeight = arguments[Self.realWeight]
    self.slope = slope
  }

  var control: LipschitzControl {
    .steepness { [marginScale, distance] in marginScale * distance.least(elements: $0) }
  }

  func criticObjective(_ step: AdversarialStep) -> CriticObjective {
    let g = step.graph
    let margin = g.multiply(distance.lower(step.real, step.fake, g), marginScale)
    let a = g.add(margin, g.subtract(step.realScores, step.fakeScores))
    // max(a, ν·a) = ν·a + (1 − ν)·max(a, 0), with subgradient ν at a ≤ 0.
    var hinge = g.unary(.relu, a)
    if slope != 0 { hinge = g.add(g.multiply(a, slope), g.multiply(hinge, 1 - slope)) }
    var loss = g.multiply(step.mean(hinge), hingeWeight)
    if realWeight > 0 { loss = g.add(loss, g.multiply(step.mean(step.realScores), realWeight)) }
    return CriticObjective(loss: loss)
  }
}
