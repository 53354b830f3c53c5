import Model

/// Every kind of this family; a kind is its own file plus one line here.
public enum AugmentationsCatalog {
  public static let all: [any Augmentation.Type] = [
    Flip.self,
    Crop.self,
    Cutout.self,
    Noise.self,
  ]
}
