import Diagnostics
import Rounding
import Tensors
import YAML

// `models:`, a generator and a critic, and the sections that mean something else for them.

extension Resolver {
  static let networkNames = ["generator", "critic"]

  func resolveModels(_ models: Entry, of root: Node, name: String?) -> Experiment? {
    if let model = root.entry("model") {
      diagnostics.append(
        Diagnostic(
          .conflictingKeys, "`model` and `models` both say what is trained", at: models.keySpan,
          labels: [.init(model.keySpan, "the other one")], help: "keep one of them"))
      return nil
    }
    let sections = decodeModels(models)
    // The common sections hold for the networks without their own.
    let regularisers = root.entry("regularize").map { resolveRegularisers($0) } ?? []
    let networks = Self.networkNames.map { name in
      var network = sections[name].flatMap {
        NetworkBuilder($0, name: name, scope: name + ".", diagnostics: self).build()
      }
      let own = sections[name]?.regularisers.map { resolveRegularisers($0) }
      network?.regularisers = own ?? regularisers
      if let network { checkRegularisers(of: network, labels: nil) }
      return network
    }
    if let generator = networks[0], let critic = networks[1] { match(generator, critic) }
    let data = root.entry("data").flatMap { resolveData($0, input: networks[1]?.inputShape) }
    if let validation = data?.validation {
      diagnostics.append(
        Diagnostic(
          .conflictingKeys, "nothing of a generator and a critic is measured of samples held back",
          at: validation.span, help: "take `validation` away"))
    }
    let loss = root.entry("loss").flatMap { resolveAdversarialLoss($0) }
    let needsCommon = Self.networkNames.contains { sections[$0]?.optimizer == nil }
    let written = root.entry("optimizer")
    let common = written != nil || needsCommon ? resolveOptimizer(written) : nil
    let optimizers = Self.networkNames.map { name in
      sections[name]?.optimizer.map { resolveOptimizer($0) } ?? common
    }
    let train = resolveTrain(root.entry("train"), isAdversarial: true)
    let targets = root.entry("targets").map {
      resolveTargets(
        $0.value, networks: Self.networkNames, norm: sections["critic"]?.lipschitz?.norm ?? .l2)
    }
    let report = resolveReport(root, isAdversarial: true)
    guard let name, let train, let generator = networks[0], let critic = networks[1] else {
      return nil
    }
    var experiment = Experiment(
      name: name, file: file, networks: [generator, critic], data: data, train: train,
      targets: targets ?? [], report: report)
    if let loss, let generatorOptimizer = optimizers[0], let criticOptimizer = optimizers[1] {
      let section = AdversarialSection(
        family: loss.arguments.kind, loss: loss.loss,
        generatorOptimizer: generatorOptimizer.section, criticOptimizer: criticOptimizer.section,
        criticSteps: train.criticSteps ?? loss.loss.criticSteps, averageDecay: train.averageDecay,
        span: loss.span)
      experiment.adversarial = section
      diagnostics += theoryWarnings(section, critic: critic)
    }
    let models = zip(Self.networkNames, optimizers).map { (sections[$0]!, $1) }
    experiment.resolvedText = resolvedText(
      experiment, models: models, data: data, loss: loss?.arguments, optimizer: nil)
    return experiment
  }

  private func decodeModels(_ entry: Entry) -> [String: ModelSection] {
    guard let entries = entry.value.mapping else {
      diagnostics.append(.notArguments(entry.value, of: "models", Self.networkNames))
      return [:]
    }
    var sections: [String: ModelSection] = [:]
    for network in entries where !network.key.isFreeKey {
      guard Self.networkNames.contains(network.key) else {
        diagnostics.append(.unknownKey(network, of: "models", allowed: Self.networkNames))
        continue
      }
      sections[network.key] = decodeModel(network)
    }
    for name in Self.networkNames
    where !entries.contains(where: { $0.key == name })
      && !entries.misspells(name, allowed: Self.networkNames)
    {
      diagnostics.append(.missingKey(name, of: "models", at: entry.keySpan, "a network"))
    }
    return sections
  }

  /// The critic reads what the generator makes, and gives one number, or one for each class that
  /// the generator can be asked for.
  private func match(_ generator: Network, _ critic: Network) {
    func place(_ network: Network) -> Span {
      if case .node(let index) = network.output { network.nodes[index].kindSpan }
      else { network.span }
    }
    if generator.outputShape != critic.inputShape {
      diagnostics.append(
        Diagnostic(
          .shapeMismatch,
          "the generator makes \(generator.outputShape.shapeText), the critic reads "
            + critic.inputShape.shapeText,
          at: place(generator), labels: [.init(critic.span, "the critic")]))
    }
    let scores = generator.classes ?? 1
    if critic.outputShape != [scores] {
      diagnostics.append(
        Diagnostic(
          .shapeMismatch,
          generator.classes == nil
            ? "a critic gives one number, this one \(critic.outputShape.shapeText)"
            : "the critic of \(scores) classes gives one number for each, this one "
              + critic.outputShape.shapeText,
          at: place(critic),
          help: generator.classes == nil && critic.outputShape.count == 1
            ? "end it with `- dense: {units: 1}`, or name the `classes` of the generator's `input`"
            : "end it with `- dense: {units: \(scores)}`"))
    }
  }

  private func resolveAdversarialLoss(
    _ entry: Entry
  ) -> (loss: any AdversarialLoss, span: Span, arguments: ResolvedUnit)? {
    guard let (word, kindSpan, body) = sectionKind(entry, key: "family") else { return nil }
    if catalogs.losses.contains(where: { $0.kind == word }) {
      diagnostics.append(
        Diagnostic(
          .conflictingKeys, "`\(word)` trains one network, not a generator and a critic",
          at: kindSpan, help: "write `model: …` instead of `models`"))
      return nil
    }
    guard
      let type = kind(
        word, at: kindSpan, of: catalogs.adversarialLosses, { $0.kind },
        family: "loss family"),
      let arguments = decode(
        unit: type, node: body, named: kindSpan, common: ["family"], into: &diagnostics),
      let loss = instantiate(
        arguments, into: &diagnostics,
        { (arguments) throws(ArgumentProblem) -> any AdversarialLoss in try type.init(arguments) })
    else { return nil }
    return (
      loss, kindSpan, ResolvedUnit(kind: word, declarations: type.arguments, arguments: arguments)
    )
  }
}
