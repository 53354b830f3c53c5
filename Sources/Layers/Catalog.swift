import Model

/// Every kind of this family; a kind is its own file plus one line here.
public enum LayersCatalog {
  public static let all: [any Layer.Type] = [
    Abs.self,
    AveragePool.self,
    BatchNorm.self,
    Conv.self,
    Dense.self,
    Dropout.self,
    Flatten.self,
    GroupSort.self,
    LeakyReLU.self,
    MaxPool.self,
    ReLU.self,
    ReshapeLayer.self,
    Scale.self,
    Sigmoid.self,
    Softplus.self,
    Tanh.self,
  ]
}
