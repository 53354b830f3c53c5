import Model

/// Every kind of this family; a kind is its own file plus one line here.
public enum ConstraintsCatalog {
  public static let all: [any Constraint.Type] = [
    AlmostOrthogonal.self,
    Clip.self,
    Frobenius.self,
    FrobeniusProjection.self,
    NoConstraint.self,
    Orthogonal.self,
    Projection.self,
    Spectral.self,
    SpectralAfterUpdate.self,
    WeightNorm.self,
  ]
}
