import Model

/// Every kind of this family; a kind is its own file plus one line here.
public enum RegularisersCatalog {
  public static let all: [any Regulariser.Type] = [
    FrobeniusNorm.self,
    GradientPenalty.self,
    JacobianNorm.self,
    L1.self,
    L2.self,
    SpectralNorm.self,
  ]
}
