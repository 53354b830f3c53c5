import Model

/// Every kind of this family; a kind is its own file plus one line here.
public enum ConstraintsCatalog {
  public static let all: [any Constraint.Type] = [
    NoConstraint.self,
    Spectral.self,
  ]
}
