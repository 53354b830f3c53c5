import Model

/// The key that every regulariser has.
enum Strength {
  static let weight = Argument<Double>("weight", "λ, the term's factor.", in: .nonNegative)
}
