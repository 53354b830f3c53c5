extension Explanation {
  private static let train = "lgc train model.yaml --quiet --out run"
  private static func reading(_ data: String) -> String {
    """
    lgc: 1
    name: example
    data: \(data)
    model: {input: [1, 2, 2], layers: [flatten, dense: 2]}
    loss: cross_entropy
    """
  }
  private static let idx = reading(
    "{type: idx, images: images, labels: labels}")
  /// Two images of 2 × 2 pixels and their labels.
  private static let images =
    #"printf '\0\0\10\3\0\0\0\2\0\0\0\2\0\0\0\2\1\2\3\4\5\6\7\10' > images"#
  private static let labels = #"printf '\0\0\10\1\0\0\0\2\0\1' > labels"#

  static let data = [
    Explanation(
      .dataFile, "A file of the data is missing or cannot be read.",
      Case(idx, train), repaired: Case(idx, "\(images)\n\(labels)\n\(train) --set train.batch=2")),
    Explanation(
      .dataFormat, "A file of the data is not what its format says, or is cut off.",
      Case(idx, "printf nonsense > images\n\(labels)\n\(train) --set train.batch=2"),
      repaired: Case(idx, "\(images)\n\(labels)\n\(train) --set train.batch=2")),
    Explanation(
      .dataShape, "The samples have another shape than the network reads.",
      Case(trained(input: "[3]"), train), repaired: Case(trained(), train)),
    Explanation(
      .dataLabels, "A label is no class of the network, or the loss needs labels of another kind.",
      Case(
        idx,
        "\(images)\n"
          + #"printf '\0\0\10\1\0\0\0\2\0\7' > labels"# + "\n\(train) --set train.batch=2"),
      repaired: Case(idx, "\(images)\n\(labels)\n\(train) --set train.batch=2")),
  ]

  static let training = [
    Explanation(
      .diverged, "The loss is no longer a finite number.",
      Case(
        """
        lgc: 1
        name: example
        data: {type: synthetic, name: two_moons, samples: 200}
        model: {input: [2], layers: [dense: 8, dense: 2]}
        loss: cross_entropy
        optimizer: {type: sgd, lr: 1e30}
        train: {steps: 50, batch: 20}
        """, train),
      repaired: Case(trained(), train)),
    Explanation(
      .missingSection, "The command needs a section that the description does not have.",
      Case(network("- dense: 2"), train), repaired: Case(trained(), train)),
    Explanation(
      .engineCannot, "The engine that was asked for does not do what was asked for.",
      Case(trained(), train + " --engine reference --profile"),
      repaired: Case(trained(), train + " --profile")),
    Explanation(
      .badWeights,
      "The weights are not those of the described network: a tensor is missing, unexpected, of "
        + "another shape, or holds a number that is not finite.",
      Case(
        trained(),
        "\(train)\nsed 's/units: 8/units: 9/' model.yaml > other.yaml\n"
          + "lgc bound other.yaml --weights run/weights.safetensors"),
      repaired: Case(trained(), "\(train)\nlgc bound model.yaml --weights run/weights.safetensors")),
    Explanation(
      .tooMuchMemory, "The step would need more memory than there is, or than `--memory-limit`.",
      Case(trained(units: "1000000"), "lgc train model.yaml --dry-run --memory-limit 1"),
      repaired: Case(trained(), "lgc train model.yaml --dry-run --memory-limit 100")),
    Explanation(
      .cannotResume,
      "What would be resumed is not what was begun: the description changed, the length asked for "
        + "does not fit the steps made, or no checkpoint is whole.",
      Case(trained(), "\(train)\nlgc train --quiet --resume run --set train.steps=2"),
      repaired: Case(trained(), "\(train)\nlgc train --quiet --resume run --set train.steps=8")),
    Explanation(
      .resumedElsewhere,
      "A run goes on bit for bit where version, engine, threads and processor are as they were; here "
        + "they are not.",
      Case(
        trained(),
        "\(train) --threads 1\nlgc train --quiet --resume run --threads 2 --set train.steps=8"),
      repaired: Case(
        trained(), "\(train) --threads 1\nlgc train --quiet --resume run --set train.steps=8")),
  ]

  static let files = [
    Explanation(
      .cannotRead, "A file is not there or may not be read.",
      Case("", "lgc check nothing.yaml"),
      repaired: Case(network("- relu"), "lgc check model.yaml --color never")),
    Explanation(
      .cannotWrite, "A file or folder cannot be made: no permission, no room, no such folder.",
      Case(trained(), "lgc train model.yaml --quiet --out model.yaml/run"),
      repaired: Case(trained(), train)),
    Explanation(
      .badFormat, "A file is not in the format that the command reads, or is damaged.",
      Case(
        network("- dense: 2"),
        "printf nonsense > w.safetensors\nlgc bound model.yaml --weights w.safetensors"),
      repaired: Case(trained(), "\(train)\nlgc bound model.yaml --weights run/weights.safetensors")),
    Explanation(
      .noRun, "The command works on a run, and there is none where it looks.",
      Case("", "lgc bound"), repaired: Case(trained(), "\(train)\nlgc bound run")),
    Explanation(
      .badCheckpoint, "A checkpoint is damaged, as by a full disk; an older one is taken.",
      Case(
        trained(),
        "lgc train model.yaml --quiet --out run --set 'train.checkpoint.every=2'\n"
          + "for f in $(ls run/checkpoints/step-* | tail -n 1); do printf x > $f; done\n"
          + "lgc train --quiet --resume run --set train.steps=8"),
      repaired: Case(
        trained(),
        "lgc train model.yaml --quiet --out run --set 'train.checkpoint.every=2'\n"
          + "lgc train --quiet --resume run --set train.steps=8")),
    Explanation(
      .internalFault,
      "lgc has found a fault of its own: two of its parts disagree. Please report the description "
        + "and the message."),
  ]
}
