import Model

/// Every kind of this family; a kind is its own file plus one line here.
public enum LossesCatalog {
  public static let all: [any SupervisedLoss.Type] = [
    CrossEntropy.self,
    Hinge.self,
    HingeKR.self,
    KantorovichRubinstein.self,
    MeanAbsoluteError.self,
    MeanSquaredError.self,
    MultiMargin.self,
  ]

  /// The families of a generator and a critic.
  public static let adversarial: [any AdversarialLoss.Type] = [
    FGAN.self,
    GANQP.self,
    GLSGAN.self,
    HingeGAN.self,
    LeastSquaresGAN.self,
    LSGAN.self,
    Relativistic.self,
    SGAN.self,
    WGAN.self,
    WGANDiv.self,
    WGANGP.self,
  ]
}
