import Diagnostics

/// Why nothing can be proved about a network or a tensor. Never a number in its place.
public enum ProofError: Error, Sendable, Equatable {
  /// A stored number is NaN or infinite.
  case notFinite(tensor: String, index: [Int], value: String)
  case missing(tensor: String, shape: [Int])
  case unexpected(tensor: String, known: [String])
  case misshapen(tensor: String, shape: [Int], expected: [Int])
  /// A running variance below zero, or zero with no ε beside it.
  case notPositive(tensor: String, index: [Int], value: String)
  /// The linear algebra library cannot be used.
  case library(String)
  /// The machine's arithmetic, or lgc itself, is not what the proofs assume.
  case arithmetic(String)

  /// As the user reads it. There is no source text to point at: the fault is in the weights.
  public var diagnostic: Diagnostic {
    switch self {
    case .notFinite(let tensor, let index, let value):
      let place = index.map(String.init).joined(separator: ", ")
      return Diagnostic(
        .badWeights, "weight \(tensor)[\(place)] is \(value)", at: nil,
        help: "no bound holds for weights that are not finite numbers")
    case .missing(let tensor, let shape):
      return Diagnostic(
        .badWeights, "there is no tensor \(tensor) (\(shapeText(shape))) in the weights", at: nil,
        help: "tensors are named <layer>.<weight>, as `lgc check` lists the layers")
    case .unexpected(let tensor, let known):
      return Diagnostic(
        .badWeights, "tensor \(tensor) belongs to no layer of the model", at: nil,
        help: known.isEmpty ? nil : "the model has \(known.joined(separator: ", "))")
    case .misshapen(let tensor, let shape, let expected):
      return Diagnostic(
        .badWeights,
        "tensor \(tensor) is \(shapeText(shape)) where the model has \(shapeText(expected))",
        at: nil)
    case .notPositive(let tensor, let index, let value):
      let place = index.map(String.init).joined(separator: ", ")
      return Diagnostic(
        .badWeights, "variance \(tensor)[\(place)] is \(value)", at: nil,
        help: "a variance is not negative, and positive with its epsilon")
    case .library(let reason):
      return Diagnostic(
        .cannotRead, "the linear algebra library cannot be used: \(reason)", at: nil,
        help: "install the Debian package libopenblas0-pthread")
    case .arithmetic(let reason):
      return Diagnostic(.internalFault, reason, at: nil)
    }
  }

  /// The same failure with the tensor's name, which a function of bare numbers cannot know.
  public func naming(_ tensor: String) -> ProofError {
    if case .notFinite(_, let index, let value) = self {
      return .notFinite(tensor: tensor, index: index, value: value)
    }
    if case .notPositive(_, let index, let value) = self {
      return .notPositive(tensor: tensor, index: index, value: value)
    }
    return self
  }
}

private func shapeText(_ shape: [Int]) -> String {
  shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: "×")
}
