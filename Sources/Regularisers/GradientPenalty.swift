import Model
import Tensors

/// λ·E (n − K)², or λ·E max(n − K, 0)² one-sided, with n = ‖∇_x s(x)‖₂ of each sample in the units
/// of the model's input and K the target. What s is, `of` says:
///
/// - `output`: ⟨c, z(x)⟩ for a random unit direction c, new for every sample and step; the output
///   itself where it is one number. n ≤ ‖J‖₂, the network's slope at x.
/// - `margin`: z_y − max_{j≠y} z_j, by which the sample's class leads; n is what an attack at x can
///   take of it.
/// - `loss`: the sample's loss (Drucker and Le Cun, 1992, with K = 0).
///
/// `at: data` takes x from the batch; `at: interpolations` takes x_i + ε·(x_{i+1} − x_i), ε
/// uniform, where there are no labels and so neither loss nor margin.
///
/// It is local: it bounds no gradient anywhere else and the network's constant not at all.
/// Two-sided it pushes small gradients up to K, which a critic needs and a classifier does not. Its
/// gradient in the weights goes through the gradient in x, about twice the work of a step without
/// it.
public struct GradientPenalty: Regulariser {
  public enum Subject: String, ArgumentValue, CaseIterable { case output, margin, loss }
  public enum Sided: String, ArgumentValue, CaseIterable { case one, two }
  public enum Place: String, ArgumentValue, CaseIterable { case data, interpolations }

  public static let kind = "gradient_penalty"
  public static let summary = "weight · mean of (gradient norm in the input − target)²"
  public static let subject = Argument<Subject>("of", "Whose gradient.", default: .output)
  public static let sided = Argument<Sided>(
    "sided", "`one`: only norms above the target are penalised; `two`: those below too.",
    default: .one)
  public static let target = Argument<Double>(
    "target", "K, the norm that is let pass.", default: 1, in: .nonNegative)
  public static let place = Argument<Place>(
    "at", "At the samples, or between pairs of them.", default: .data)
  public static let arguments: [any ArgumentDeclaration] = [
    Strength.weight, subject, sided, target, place,
  ]
  public static let shorthand: String? = "weight"
  public static let examples: [Example] = [
    .good("gradient_penalty: {weight: 1}"),
    .good("gradient_penalty: {weight: 1, sided: one, target: 1, at: data}"),
    .good("gradient_penalty: {weight: 0.1, of: loss, target: 0}"),
    .good("gradient_penalty: {weight: 10, of: output, sided: two, at: interpolations}"),
    .bad("gradient_penalty: {weight: 1, sided: «three»}", .wrongType),
    .bad("gradient_penalty: {weight: 1, target: «-1»}", .outOfRange),
    .bad("gradient_penalty: {weight: 1, of: loss, at: «interpolations»}", .conflictingKeys),
    .bad("gradient_penalty: {weight: 1, «traget»: 1}", .unknownKey),
  ]

  private let weight: Double
  private let subject: Subject
  private let sided: Sided
  private let target: Double
  private let place: Place

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    weight = arguments[Strength.weight]
    subject = arguments[Self.subject]
    sided = arguments[Self.sided]
    target = arguments[Self.target]
    place = arguments[Self.place]
    if place == .interpolations, subject != .output {
      throw ArgumentProblem(
        "between two samples there is no label, and so no \(subject.rawValue)",
        argument: Self.place.name, help: "take `at: data`, or `of: output`",
        code: .conflictingKeys)
    }
  }

  public var penalisesInputGradients: Bool { true }

  public func refusal(output: Shape, labels: LabelKind?) -> String? {
    switch (subject, labels) {
    case (.output, _), (.loss, .some): return nil
    case (.loss, nil), (.margin, nil):
      return "`of: \(subject.rawValue)` needs labelled samples; a generator and a critic have none"
    case (.margin, .targets): return "`of: margin` needs classes, and the samples have targets"
    case (.margin, .classes):
      return output.count == 1
        ? nil : "`of: margin` needs one number, or one per class, not \(output.shapeText)"
    }
  }

  public func lower(_ step: RegularisedStep) -> Value {
    let g = step.graph
    let x = place == .data ? step.samples : step.interpolations()
    let values: Value
    switch subject {
    case .output:
      values = step.projection(of: place == .data ? step.output : step.network(x))
    case .margin: values = g.lead(of: step.supervised.labels, in: step.output)
    case .loss: values = step.supervised.losses
    }
    let squares = g.squaredGradientNorms(of: values, in: x)
    if target == 0 { return g.multiply(step.mean(squares), weight) }
    // The root has no derivative at 0, where a network of dead units is.
    var excess = g.subtract(g.unary(.squareRoot, g.add(squares, 1e-12)), target)
    if sided == .one { excess = g.unary(.relu, excess) }
    return g.multiply(step.mean(g.square(excess)), weight)
  }
}

extension RegularisedStep {
  fileprivate var supervised: Supervision {
    guard let supervision else {
      fatalError("lgc's own bug: gradient_penalty reads labels where there are none")
    }
    return supervision
  }
}
