import Model

/// Every kind of this family; a kind is its own file plus one line here.
public enum LayersCatalog {
  public static let all: [any Layer.Type] = []
}
