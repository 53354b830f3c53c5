import Model

/// Every kind of this family; a kind is its own file plus one line here.
public enum OptimizersCatalog {
  public static let all: [any Optimizer.Type] = [
    Adam.self,
    AdamW.self,
    RMSProp.self,
    SGD.self,
  ]
}
