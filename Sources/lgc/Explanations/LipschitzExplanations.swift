extension Explanation {
  private static func critic(_ model: String) -> String {
    """
    lgc: 1
    name: example
    models:
      generator: {input: {noise: normal, shape: [2]}, layers: [dense: 2]}
      critic: {input: [2], \(model)layers: [dense: 1]}
    loss: wgan
    """
  }

  private static let train = "lgc train model.yaml --quiet --out run"

  static let lipschitz = [
    Explanation(
      .residualSum,
      "The bound of x + w·f(x) is 1 + |w|·L: a network of such blocks can expand by up to 2 each, "
        + "however small the norms of their layers are. A convex block, (1 − w)·x + w·f(x), cannot.",
      Case(
        network(
          "- dense: {units: 4, residual: sum}", model: "lipschitz: 1\nconstraint: spectral")),
      repaired: Case(
        network(
          "- dense: {units: 4, residual: convex}", model: "lipschitz: 1\nconstraint: spectral"))),
    Explanation(
      .targetRefuted,
      "The declared bounds allow more than the target asks for; training cannot be relied on for "
        + "what nothing enforces.",
      Case(
        network(
          "- dense: 4\n- dense: 2", model: "lipschitz: 2\nconstraint: spectral",
          after: "targets: [lipschitz: 1]")),
      repaired: Case(
        network(
          "- dense: 4\n- dense: 2", model: "lipschitz: 1\nconstraint: spectral",
          after: "targets: [lipschitz: 1]"))),
    Explanation(
      .unprovable,
      "A target asks for a bound, and of some layer none can be proved before training. Where the "
        + "layer is one that has no bound at all, this is an error.",
      Case(network("- dense: 2", after: "targets: [lipschitz: 1]")),
      repaired: Case(
        network(
          "- dense: 2", model: "lipschitz: 1\nconstraint: spectral",
          after: "targets: [lipschitz: 1]"))),
    Explanation(
      .constraintNorm, "A constraint cannot hold a bound in this norm, or of this layer.",
      Case(
        network("- dense: 2", model: "lipschitz: {norm: linf, bound: 1}\nconstraint: spectral")),
      repaired: Case(
        network("- dense: 2", model: "lipschitz: {norm: l2, bound: 1}\nconstraint: spectral"))),
    Explanation(
      .targetNotMet, "Training or the proof ended, and a target does not hold of the result.",
      Case(trained(targets: "[accuracy: {at_least: 1}]"), train),
      repaired: Case(trained(targets: "[accuracy: {at_least: 0}]"), train)),
    Explanation(
      .noConstraint,
      "`lipschitz:` says what must hold, `constraint:` how training enforces it; here nothing does.",
      Case(network("- dense: 2", model: "lipschitz: 1")),
      repaired: Case(network("- dense: 2", model: "lipschitz: 1\nconstraint: spectral"))),
    Explanation(
      .uncontrolledCritic,
      "This family's loss is unbounded below, or means something else, unless the critic is "
        + "Lipschitz; nothing makes it so.",
      Case(critic("")), repaired: Case(critic("lipschitz: 1, constraint: spectral, "))),
    Explanation(
      .certificateRefused,
      "The checker repeated the proof, and a number, a tensor or the certificate itself differs.",
      Case(
        trained(),
        "\(train)\nsed 's/0x1/0x2/' run/bound.json > changed.json\n"
          + "lgc verify changed.json --weights run/weights.safetensors"),
      repaired: Case(trained(), "\(train)\nlgc verify run")),
    Explanation(
      .boundNotHeld,
      "The constraint holds a bound of its own, which follows from its arguments and the shapes, and "
        + "the declared one is smaller.",
      Case(network("- dense: 2", model: "lipschitz: 1\nconstraint: {type: clip, c: 8}")),
      repaired: Case(network("- dense: 2", model: "lipschitz: 1\nconstraint: {type: clip, c: 0.1}"))),
    Explanation(
      .batchStatistics,
      "In training batch normalisation divides by the deviation of the batch, so that an output "
        + "depends on all samples of it; the stored network divides by the running deviation, and "
        + "only of that is there a bound.",
      Case(
        network(
          "- dense: 4\n- batch_norm", model: "lipschitz: 1\nconstraint: spectral")),
      repaired: Case(network("- dense: 4", model: "lipschitz: 1\nconstraint: spectral"))),
    Explanation(
      .overlappingWindows,
      "Where windows overlap, one element of the input is the largest of several windows, and a "
        + "change of it counts several times.",
      Case(
        network(
          "- conv: {filters: 2, kernel: 3}\n- max_pool: {kernel: 3, stride: 1}",
          input: "[1, 8, 8]", model: "lipschitz: 1\nconstraint: spectral")),
      repaired: Case(
        network(
          "- conv: {filters: 2, kernel: 3}\n- max_pool: {kernel: 3, stride: 3}",
          input: "[1, 8, 8]", model: "lipschitz: 1\nconstraint: spectral"))),
    Explanation(
      .kernelNorm,
      "`of: kernel` holds the norm of the kernel as a matrix of filters; the convolution, which "
        + "slides it, can have a norm larger by up to the root of the number of its positions.",
      Case(
        network(
          "- conv: {filters: 2, kernel: 3}", input: "[1, 8, 8]",
          model: "lipschitz: 1\nconstraint: {type: spectral, of: kernel}")),
      repaired: Case(
        network(
          "- conv: {filters: 2, kernel: 3}", input: "[1, 8, 8]",
          model: "lipschitz: 1\nconstraint: {type: spectral, of: operator}"))),
    Explanation(
      .randomLayer,
      "A penalty on gradients is one on the network of this very step, where a random layer leaves "
        + "out some of it; the stored network is another one.",
      Case(
        network(
          "- dense: 4\n- dropout: 0.5\n- dense: 2",
          after: "loss: cross_entropy\nregularize: [gradient_penalty: {weight: 1}]")),
      repaired: Case(
        network(
          "- dense: 4\n- dense: 2",
          after: "loss: cross_entropy\nregularize: [gradient_penalty: {weight: 1}]"))),
    Explanation(
      .expandingHead,
      "The constant of `log_softmax` grows with the number of classes, and the class and its margin "
        + "are those of its input.",
      Case(
        network("- dense: 4\n- log_softmax", model: "lipschitz: 1\nconstraint: spectral")),
      repaired: Case(network("- dense: 4", model: "lipschitz: 1\nconstraint: spectral"))),
    Explanation(
      .steepNormalisation,
      "A normalisation of a sample by its own deviation is steepest where the sample hardly varies: "
        + "there it divides by √eps, and its constant is 1/√eps or more.",
      Case(
        network("- dense: 4\n- layer_norm", model: "lipschitz: 1\nconstraint: spectral")),
      repaired: Case(
        network("- dense: 4\n- centre_norm", model: "lipschitz: 1\nconstraint: spectral"))),
    Explanation(
      .smallSlope,
      "The constant of `sigmoid` is 1/4, so a network that may be 1-Lipschitz is held to a quarter.",
      Case(network("- dense: 4\n- sigmoid", model: "lipschitz: 1\nconstraint: spectral")),
      repaired: Case(
        network("- dense: 4\n- tanh", model: "lipschitz: 1\nconstraint: spectral"))),
    Explanation(
      .penaltyOnly,
      "A penalty draws gradients at the samples of a batch towards small ones. It certifies nothing "
        + "of other points: the bound is proved of the trained weights, and may be far above 1.",
      Case(
        network(
          "- dense: 4\n- relu\n- dense: 2",
          after: "regularize: [gradient_penalty: 1]\ntargets: [lipschitz: 1]")),
      repaired: Case(
        network(
          "- dense: 4\n- relu\n- dense: 2", model: "lipschitz: 1\nconstraint: spectral",
          after: "regularize: [gradient_penalty: 1]\ntargets: [lipschitz: 1]"))),
  ]
}
