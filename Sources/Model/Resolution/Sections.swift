import Diagnostics
import Rounding
import Tensors
import YAML

// `data`, `loss`, `optimizer`, `train`: what training needs beside the network.

/// The declared keys of the sections that are no kind's own.
enum SectionArguments {
  static let mean = Argument<OneOrMany<Double>>("mean", "One number, or one per channel.")
  static let deviation = Argument<OneOrMany<Double>>(
    "deviation", "One number, or one per channel.", in: .positive)

  static let epochs = Argument<Int>.optional(
    "epochs", "Passes over the training samples (10 where `steps` is not given).",
    in: ArgumentRange(lower: 1, upper: 1e9))
  static let steps = Argument<Int>.optional(
    "steps", "Updates, instead of `epochs`.", in: ArgumentRange(lower: 1, upper: 1e12))
  static let batch = Argument<Int>(
    "batch", "Samples per update.", default: 128, in: ArgumentRange(lower: 1, upper: 1e6))
  static let seed = Argument<Int>(
    "seed", "Decides every random number.", default: 0, in: .nonNegative)
  static let defaultEpochs = 10
  static let checkpoint = Argument<CheckpointSection>(
    "checkpoint", "When a checkpoint is saved and how many stay.", default: CheckpointSection())
  static let stopWhen = Argument<StoppingSection>.optional(
    "stop_when", "When training ends before its length is reached.")
  static let criticSteps = Argument<Int>.optional(
    "critic_steps", "Critic updates for one of the generator; the family's own by default.",
    in: ArgumentRange(lower: 1, upper: 1e6))
  static let average = Argument<Double>.optional(
    "generator_average", "The decay of a running average of the generator's weights, which then "
      + "are what it samples from.", in: ArgumentRange(lower: 0, upper: 1, excludesLower: true, excludesUpper: true))
}

extension Resolver {
  /// - Parameter input: the input of the network that reads the data; nil if that is wrong.
  func resolveData(_ entry: Entry, input: Shape?) -> DataSection? {
    guard let (word, kindSpan, body) = sectionKind(entry, key: "type"),
      let type = kind(
        word, at: kindSpan, of: catalogs.datasets, { $0.kind },
        family: "data type")
    else { return nil }
    let common = ["type", "range", "standardize", "shuffle", "augment", "validation"]
    let arguments = decodeArguments(
      type.arguments, of: word, node: body, named: kindSpan, common: common,
      into: &diagnostics)
    let before = diagnostics.errorCount
    let range = body?.entry("range").flatMap { decodeRange($0.value) }
    let standardizesByData = body?["standardize"]?.string == "data"
    let standardize =
      standardizesByData ? nil : body?.entry("standardize").flatMap { decodeStandardize($0) }
    var shuffle = true
    if let node = body?["shuffle"] {
      shuffle = Bool.decode(node, range: nil, into: &diagnostics) ?? true
    }
    let augmentations =
      body?["augment"].flatMap { decodeAugmentations($0, input: input) } ?? []
    let validation = body?["validation"].flatMap {
      ValidationSection.decode($0, range: nil, into: &diagnostics)
    }
    guard let arguments, diagnostics.errorCount == before,
      let dataset = instantiate(
        arguments, into: &diagnostics,
        { (arguments) throws(ArgumentProblem) -> any Dataset in try type.init(arguments) })
    else { return nil }
    return DataSection(
      dataset: dataset, kind: word, arguments: arguments, range: range, standardize: standardize,
      shuffle: shuffle, standardizesByData: standardizesByData, augmentations: augmentations, validation: validation, span: kindSpan)
  }

  private func decodeRange(_ node: Node) -> ClosedRange<Double>? {
    guard let numbers = [Double].decode(node, range: nil, into: &diagnostics) else { return nil }
    guard numbers.count == 2, numbers[0] < numbers[1] else {
      diagnostics.append(
        Diagnostic(
          .outOfRange, "expected two numbers, the lower first", at: node.span,
          help: "write `range: [0, 1]`"))
      return nil
    }
    return numbers[0]...numbers[1]
  }

  private func decodeStandardize(_ entry: Entry) -> (mean: [Double], deviation: [Double])? {
    if entry.value.mapping == nil {
      diagnostics.append(
        .expected(
          "`data`, or a mapping of `mean` and `deviation`", found: entry.value,
          help: entry.value.string.flatMap { didYouMean($0, among: ["data"]) }))
      return nil
    }
    guard
      let arguments = decodeArguments(
        [SectionArguments.mean, SectionArguments.deviation], of: "standardize", node: entry.value,
        named: entry.keySpan, into: &diagnostics)
    else { return nil }
    let mean = arguments[SectionArguments.mean].values
    let deviation = arguments[SectionArguments.deviation].values
    guard mean.count == deviation.count, !mean.isEmpty else {
      diagnostics.append(
        Diagnostic(
          .outOfRange, "`mean` has \(mean.count) numbers and `deviation` \(deviation.count)",
          at: entry.value.span, help: "give each one number, or one per channel"))
      return nil
    }
    return (mean, deviation)
  }

  func resolveLoss(
    _ entry: Entry, network: Network?
  ) -> (section: LossSection, arguments: ResolvedUnit)? {
    guard let (word, kindSpan, body) = sectionKind(entry, key: "family") else { return nil }
    if catalogs.adversarialLosses.contains(where: { $0.kind == word }) {
      diagnostics.append(
        Diagnostic(
          .conflictingKeys, "`\(word)` trains a generator and a critic, not one network",
          at: kindSpan, help: "write `models: {generator: …, critic: …}` instead of `model`"))
      return nil
    }
    guard
      let type = kind(
        word, at: kindSpan, of: catalogs.losses, { $0.kind },
        family: "loss family"),
      let arguments = decode(
        unit: type, node: body, named: kindSpan, common: ["family"], into: &diagnostics),
      let loss = instantiate(
        arguments, into: &diagnostics,
        { (arguments) throws(ArgumentProblem) -> any SupervisedLoss in try type.init(arguments) })
    else { return nil }
    // What kind of labels there are, only the data know.
    let refusals = loss.labels.map { kind in
      network.flatMap { loss.refusal(output: $0.outputShape, labels: kind) }
    }
    if let network, let refusal = refusals.compactMap({ $0 }).min(), !refusals.contains(nil) {
      var labels: [Diagnostic.Label] = []
      if case .node(let index) = network.output {
        labels.append(
          .init(
            network.nodes[index].kindSpan, "the output is \(network.outputShape.shapeText)"))
      }
      diagnostics.append(Diagnostic(.shapeMismatch, refusal, at: kindSpan, labels: labels))
    }
    return (
      LossSection(family: word, loss: loss, span: kindSpan),
      ResolvedUnit(kind: word, declarations: type.arguments, arguments: arguments)
    )
  }

  /// Without the section: `adam` with its defaults, where the catalog has it.
  func resolveOptimizer(
    _ entry: Entry?
  ) -> (section: OptimizerSection, arguments: ResolvedUnit)? {
    let standard = "adam"
    var word = standard
    var kindSpan = Span(file: file, start: 0, end: 0)
    var body: Node?
    if let entry {
      kindSpan = entry.keySpan
      body = entry.value
      let isMappingWithoutType = entry.value.mapping != nil && entry.value["type"] == nil
      if !isMappingWithoutType {
        guard let kind = sectionKind(entry, key: "type") else { return nil }
        (word, kindSpan, body) = kind
      }
    } else if !catalogs.optimizers.contains(where: { $0.kind == standard }) {
      return nil
    }
    guard
      let type = kind(
        word, at: kindSpan, of: catalogs.optimizers, { $0.kind },
        family: "optimizer"),
      let arguments = decode(
        unit: type, node: body, named: kindSpan, common: ["type", "schedule", "clip_gradient"], into: &diagnostics)
    else { return nil }
    var schedule = OptimizerSection.Schedule.constant
    if let node = body?["schedule"] {
      guard let value = OptimizerSection.Schedule.decode(node, range: nil, into: &diagnostics)
      else { return nil }
      schedule = value
    }
    var clipping: GradientClipping?
    if let node = body?["clip_gradient"] {
      guard let value = GradientClipping.decode(node, range: nil, into: &diagnostics)
      else { return nil }
      clipping = value
    }
    guard
      let optimizer = instantiate(
        arguments, into: &diagnostics,
        { (arguments) throws(ArgumentProblem) -> any Optimizer in try type.init(arguments) })
    else { return nil }
    return (
      OptimizerSection(
        kind: word, optimizer: optimizer, schedule: schedule, clipping: clipping, span: kindSpan),
      ResolvedUnit(kind: word, declarations: type.arguments, arguments: arguments)
    )
  }

  /// - Parameter isAdversarial: whether the keys of `models` are known too.
  func resolveTrain(_ entry: Entry?, isAdversarial: Bool = false) -> TrainSection? {
    typealias Keys = SectionArguments
    let named = entry?.keySpan ?? Span(file: file, start: 0, end: 0)
    var keys: [any ArgumentDeclaration] = [
      Keys.epochs, Keys.steps, Keys.batch, Keys.seed, Keys.checkpoint,
    ]
    keys += isAdversarial ? [Keys.criticSteps, Keys.average] : [Keys.stopWhen]
    guard
      let arguments = decodeArguments(
        keys, of: "train", node: entry?.value,
        named: named, into: &diagnostics)
    else { return nil }
    let epochs = arguments[optional: Keys.epochs]
    let steps = arguments[optional: Keys.steps]
    if epochs != nil, steps != nil {
      diagnostics.append(
        Diagnostic(
          .conflictingKeys, "`epochs` and `steps` both say how long to train",
          at: arguments.span(of: "steps"),
          labels: [.init(arguments.span(of: "epochs"), "the other one")],
          help: "keep one of them"))
      return nil
    }
    return TrainSection(
      length: steps.map { .steps($0) } ?? .epochs(epochs ?? Keys.defaultEpochs),
      batch: arguments[Keys.batch], seed: UInt64(arguments[Keys.seed]),
      criticSteps: isAdversarial ? arguments[optional: Keys.criticSteps] : nil,
      averageDecay: isAdversarial ? arguments[optional: Keys.average] : nil,
      checkpoint: arguments[Keys.checkpoint],
      stopping: isAdversarial ? nil : arguments[optional: Keys.stopWhen])
  }
}

extension Resolver {
  /// - Parameter isAdversarial: whether there are samples to draw.
  func resolveReport(_ root: Node, isAdversarial: Bool) -> ReportSection {
    root.entry("report").flatMap {
      ReportSection.decode($0, isAdversarial: isAdversarial, into: &diagnostics)
    } ?? ReportSection()
  }

  /// What is watched must be there.
  func checkStopping(_ train: TrainSection?, _ data: DataSection?) {
    guard let stopping = train?.stopping, stopping.metric.needsValidation, let data,
      data.validation == nil
    else { return }
    diagnostics.append(
      Diagnostic(
        .conflictingKeys,
        "`\(stopping.metric.rawValue)` is measured of samples held back, and none are",
        at: stopping.span, labels: [.init(data.span, "the data")],
        help: "add `validation: 0.1` to `data`, or watch `loss`"))
  }
}

typealias ResolvedOptimizer = (section: OptimizerSection, arguments: ResolvedUnit)

/// A unit as `resolved.yaml` writes it.
struct ResolvedUnit {
  var kind: String
  var declarations: [any ArgumentDeclaration]
  var arguments: Arguments
}
