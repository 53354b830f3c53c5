/// The starting points of `lgc init`. A test checks every one and trains the smallest.
struct Template {
  let name: String
  let summary: String
  let text: String

  static let all = [points, classifier, certified, residual, gan]

  private static let points = Template(
    name: "points", summary: "points of the plane, no files needed; trains in seconds",
    text: """
      # Two interleaving half circles, told apart by a network that is proved 1-Lipschitz.
      #   lgc check points.yaml    lgc train points.yaml    lgc bound
      lgc: 1
      name: points
      data: {type: synthetic, name: two_moons, samples: 2000, test_samples: 2000, noise: 0.1}
      model:
        input: [2]
        lipschitz: 1.0                 # of each layer, so of the whole
        constraint: spectral           # how training holds it
        layers:
          - dense: {units: 64, activation: group_sort}
          - dense: {units: 64, activation: group_sort}
          - dense: {name: logits, units: 2}
      loss: {family: cross_entropy, temperature: 0.05}
      optimizer: {type: adam, lr: 5e-3, schedule: cosine}
      train: {epochs: 30, batch: 100, seed: 0}
      targets:
        - lipschitz: 1.0
        - accuracy: 0.95

      """)

  private static let classifier = Template(
    name: "classifier", summary: "a dense classifier of Fashion-MNIST, bounded but not certified",
    text: """
      # A classifier whose Lipschitz bound is proved after training, without asking for one.
      # The data are the Debian package dataset-fashion-mnist, or the four files under `path`.
      lgc: 1
      name: classifier
      data: {type: fashion_mnist, range: [0, 1]}
      model:
        input: [1, 28, 28]
        layers:
          - flatten
          - dense: {units: 256, activation: relu}
          - dense: {units: 128, activation: relu}
          - dense: {name: logits, units: 10}
      loss: cross_entropy
      optimizer: {type: adam, lr: 1e-3}
      train: {epochs: 10, batch: 128, seed: 0}
      targets:
        - lipschitz: {norm: l2, report: true}

      """)

  private static let certified = Template(
    name: "certified", summary: "a convolutional classifier with certified accuracy",
    text: """
      # Every layer is held at norm 1: no change of an image by less than half the margin over √2
      # turns its class. See how much that is with lgc eval.
      lgc: 1
      name: certified
      data: {type: fashion_mnist, range: [0, 1]}
      model:
        input: [1, 28, 28]
        lipschitz: {norm: l2, bound: 1.0}
        constraint: {type: spectral}
        layers:
          - conv: {name: conv1, filters: 32, kernel: 5, stride: 2, padding: 2}
          - group_sort
          - conv: {name: conv2, filters: 64, kernel: 5, stride: 2, padding: 2}
          - group_sort
          - flatten
          - dense: {name: fc1, units: 128, activation: group_sort}
          - dense: {name: logits, units: 10}
      loss: {family: cross_entropy, temperature: 0.05}
      optimizer: {type: adam, lr: 1e-3, schedule: cosine}
      train: {epochs: 20, batch: 256, seed: 0}
      targets:
        - lipschitz: {norm: l2, bound: 1.0}
        - certified_accuracy: {norm: l2, radius: 36/255, report: true}

      """)

  private static let residual = Template(
    name: "residual", summary: "residual blocks that keep the bound of their network",
    text: """
      # A convex residual block, (1 − w)·x + w·f(x), is 1-Lipschitz if f is; the usual sum x + f(x)
      # can double a distance.
      lgc: 1
      name: residual
      data: {type: synthetic, name: two_moons, samples: 2000, test_samples: 2000, noise: 0.1}
      model:
        input: [2]
        lipschitz: 1.0
        constraint: spectral
        layers:
          - dense: {units: 32, activation: group_sort}
          - repeat:
              times: 3
              layers:
                - residual:
                    mode: convex
                    layers:
                      - dense: {units: 32, activation: group_sort}
                      - dense: {units: 32}
          - dense: {name: logits, units: 2}
      loss: {family: cross_entropy, temperature: 0.05}
      optimizer: {type: adam, lr: 5e-3}
      train: {epochs: 30, batch: 100, seed: 0}
      targets:
        - lipschitz: 1.0

      """)

  private static let gan = Template(
    name: "gan", summary: "a Wasserstein generator with a critic that is proved 1-Lipschitz",
    text: """
      # Eight Gaussians in the plane. Draw from the trained generator with lgc sample.
      lgc: 1
      name: gan
      data: {type: synthetic, name: eight_gaussians, samples: 60000, test_samples: 6000}
      models:
        generator:
          input: {noise: normal, shape: [2]}
          layers:
            - dense: {units: 128, activation: relu}
            - dense: {units: 128, activation: relu}
            - dense: {units: 2}
        critic:
          input: [2]
          lipschitz: {norm: l2, bound: 1.0}
          constraint: spectral
          layers:
            - dense: {units: 128, activation: group_sort}
            - dense: {units: 128, activation: group_sort}
            - dense: {units: 1}
      loss: wgan
      optimizer: {type: adam, lr: 5e-4, betas: [0.5, 0.9]}
      train: {steps: 3000, batch: 256, critic_steps: 5, seed: 0}
      targets:
        - lipschitz: {of: critic, bound: 1.0}

      """)
}
