import Model

/// Every kind of this family; a kind is its own file plus one line here.
public enum LayersCatalog {
  public static let all: [any Layer.Type] = [
    Abs.self,
    AveragePool.self,
    BatchNorm.self,
    CELU.self,
    Conv.self,
    Dense.self,
    Dropout.self,
    ELU.self,
    Flatten.self,
    GELU.self,
    GroupSort.self,
    HardSigmoid.self,
    HardSwish.self,
    LeakyReLU.self,
    MaxPool.self,
    Mish.self,
    ReLU.self,
    ReLU6.self,
    ReshapeLayer.self,
    Scale.self,
    SELU.self,
    Sigmoid.self,
    SiLU.self,
    Sine.self,
    Softplus.self,
    Softsign.self,
    Tanh.self,
  ]
}
