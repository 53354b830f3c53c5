import Rounding
import Tensors

// The description as YAML with every default written out.

extension Resolver {
  /// - Parameters:
  ///   - models: `model`, or the networks of `models` with what trains each, in the order of the
  ///     experiment's networks.
  ///   - optimizer: of the one network.
  func resolvedText(
    _ experiment: Experiment, models: [(section: ModelSection, optimizer: ResolvedOptimizer?)],
    data: DataSection?, loss: ResolvedUnit?, optimizer: ResolvedUnit?
  ) -> String {
    var text = ResolvedWriter()
    text.line("lgc: 1")
    text.line("name: \(experiment.name.yamlText)")
    if let data { write(data, seed: experiment.train?.seed, to: &text) }
    if experiment.networks.count == 1 {
      text.section("model") { Self.write(models[0].section, to: &$0) }
    } else {
      text.section("models") { text in
        for (model, network) in zip(models, experiment.networks) {
          text.section(network.name) { text in
            Self.write(model.section, to: &text)
            Self.write(network.regularisers, to: &text)
            if let optimizer = model.optimizer {
              text.line("optimizer: \(Self.text(of: optimizer))")
            }
          }
        }
      }
    }
    if let loss { text.line("loss: \(Self.text(of: loss, key: "family"))") }
    if experiment.networks.count == 1 {
      Self.write(experiment.networks[0].regularisers, to: &text)
    }
    if let optimizer, let section = experiment.optimizer {
      text.line("optimizer: \(Self.text(of: (section, optimizer)))")
    }
    if let train = experiment.train {
      let length =
        switch train.length {
        case .epochs(let count): "epochs: \(count)"
        case .steps(let count): "steps: \(count)"
        }
      var pairs = [length, "batch: \(train.batch)", "seed: \(train.seed)"]
      if let adversarial = experiment.adversarial {
        pairs.append("critic_steps: \(adversarial.criticSteps)")
        if let decay = adversarial.averageDecay {
          pairs.append("generator_average: \(decay.yamlText)")
        }
      }
      pairs.append("checkpoint: \(train.checkpoint.yamlText)")
      if let stopping = train.stopping { pairs.append("stop_when: \(stopping.yamlText)") }
      text.line("train: {\(pairs.joined(separator: ", "))}")
      let isAdversarial = experiment.networks.count > 1
      text.line("report: \(experiment.report.yamlText(isAdversarial: isAdversarial))")
    }
    if !experiment.targets.isEmpty {
      text.section("targets") { text in
        for target in experiment.targets { text.line("- \(Self.text(of: target.claim))") }
      }
    }
    return text.text
  }

  private func write(_ data: DataSection, seed: UInt64?, to text: inout ResolvedWriter) {
    let declarations = catalogs.datasets.first { $0.kind == data.kind }?.arguments ?? []
    text.section("data") { text in
      text.line("type: \(data.kind.yamlText)")
      for pair in Self.pairs(declarations, data.arguments) { text.line(pair) }
      if let range = data.range {
        text.line("range: \([range.lowerBound, range.upperBound].yamlText)")
      }
      if data.standardizesByData {
        text.line(DataSection.measuredLine)
      } else if let standardize = data.standardize {
        text.line(
          "standardize: {mean: \(standardize.mean.yamlText), "
            + "deviation: \(standardize.deviation.yamlText)}")
      }
      text.line("shuffle: \(data.shuffle)")
      if var validation = data.validation {
        validation.seed = validation.seed ?? seed
        text.line("validation: \(validation.yamlText)")
      }
      if data.augmentations.isEmpty { return }
      text.section("augment") { text in
        for unit in data.augmentations {
          let declarations = catalogs.augmentations.first { $0.kind == unit.kind }?.arguments ?? []
          let pairs = Self.pairs(declarations, unit.arguments).joined(separator: ", ")
          text.line("- \(unit.kind): {\(pairs)}")
        }
      }
    }
  }

  private static func write(_ model: ModelSection, to text: inout ResolvedWriter) {
    if let noise = model.noise {
      let classes = model.classes ?? 0
      let shape = [model.input[0] - classes] + model.input.dropFirst()
      let pairs = ["noise: \(noise.rawValue)", "shape: \(shape.yamlText)"]
        + (classes > 0 ? ["classes: \(classes)"] : [])
      text.line("input: {\(pairs.joined(separator: ", "))}")
    } else {
      text.line("input: \(model.input.yamlText)")
    }
    text.line("lipschitz: \(Self.text(of: model.lipschitz) ?? "unconstrained")")
    text.line("constraint: \(Self.text(of: model.constraint) ?? "{type: none}")")
    text.line("layers:")
    text.indented { write(model.layers, to: &$0) }
    if let outputs = model.outputs { text.line("outputs: \(outputs.yamlText)") }
  }

  private static func write(
    _ regularisers: [NetworkRegulariser], to text: inout ResolvedWriter
  ) {
    if regularisers.isEmpty { return }
    text.section("regularize") { text in
      for entry in regularisers {
        let pairs = pairs(type(of: entry.regulariser).arguments, entry.arguments)
        text.line("- \(entry.kind): {\(pairs.joined(separator: ", "))}")
      }
    }
  }

  private static func text(of optimizer: ResolvedOptimizer) -> String {
    var further = ["schedule: \(optimizer.section.schedule.yamlText)"]
    if let clipping = optimizer.section.clipping {
      further.append("clip_gradient: \(clipping.yamlText)")
    }
    return text(of: optimizer.arguments, key: "type", further)
  }

  private static func write(_ items: [LayerItem], to text: inout ResolvedWriter) {
    for item in items {
      switch item {
      case .layer(let entry):
        var pairs = ["name: \(entry.name.yamlText)"] + Self.pairs(entry.from)
        pairs += Self.pairs(entry.type.arguments, entry.arguments)
        pairs += Self.pairs(
          LayerDefaults(lipschitz: entry.lipschitz, constraint: entry.constraint))
        if let residual = entry.residual {
          pairs.append("residual: \(Self.text(of: residual))")
        }
        text.line("- \(entry.kind): {\(pairs.joined(separator: ", "))}")
      case .residual(let entry):
        text.line("- residual:")
        text.indented(by: 2) { text in
          text.line("name: \(entry.name.yamlText)")
          for pair in Self.pairs(entry.from) + Self.pairs(entry.defaults) { text.line(pair) }
          for pair in Self.pairs(entry.setting) { text.line(pair) }
          text.section("layers") { Self.write(entry.body, to: &$0) }
          guard let shortcut = entry.shortcut else { return }
          text.section("shortcut") { text in
            if shortcut.isEmpty { text.line("layers: []") }
            else { text.section("layers") { Self.write(shortcut, to: &$0) } }
          }
        }
      case .repetition(let entry):
        text.line("- repeat:")
        text.indented(by: 2) { text in
          text.line("name: \(entry.name.yamlText)")
          for pair in Self.pairs(entry.from) + Self.pairs(entry.defaults) { text.line(pair) }
          if let residual = entry.residual { text.line("residual: \(Self.text(of: residual))") }
          text.line("times: \(entry.times)")
          text.line("shared: \(entry.isShared)")
          text.section("layers") { Self.write(entry.body, to: &$0) }
        }
      case .parallel(let entry):
        text.line("- parallel:")
        text.indented(by: 2) { text in
          text.line("name: \(entry.name.yamlText)")
          for pair in Self.pairs(entry.from) + Self.pairs(entry.defaults) { text.line(pair) }
          if let residual = entry.residual { text.line("residual: \(Self.text(of: residual))") }
          text.line("combine: \(entry.combination.rawValue)")
          if entry.combination == .weighted { text.line("weights: \(entry.weights.yamlText)") }
          if entry.combination == .concat { text.line("axis: \(entry.axis)") }
          text.section("branches") { text in
            for branch in entry.branches {
              if branch.isEmpty {
                text.line("- []")
              } else {
                text.line("-")
                text.indented { Self.write(branch, to: &$0) }
              }
            }
          }
        }
      case .invalid: break
      }
    }
  }

  // MARK: values on one line

  /// `units: 128`, for every argument that has a value.
  private static func pairs(
    _ declarations: [any ArgumentDeclaration], _ arguments: Arguments
  ) -> [String] {
    declarations.compactMap { declaration in
      arguments.values[declaration.name].flatMap { declaration.yamlText($0) }
        .map { "\(declaration.name): \($0)" }
    }
  }

  private static func pairs(_ from: NameList?) -> [String] {
    from.map { ["from: \($0.yamlText)"] } ?? []
  }

  private static func pairs(_ defaults: LayerDefaults) -> [String] {
    [
      Self.text(of: defaults.lipschitz).map { "lipschitz: \($0)" },
      Self.text(of: defaults.constraint).map { "constraint: \($0)" },
    ].compactMap { $0 }
  }

  private static func pairs(_ setting: ResidualSetting) -> [String] {
    ["mode: \(setting.mode.rawValue)", "weight: \(setting.weight.yamlText)"]
  }

  private static func text(of residual: ResidualSetting) -> String {
    "{\(pairs(residual).joined(separator: ", "))}"
  }

  private static func text(
    of unit: ResolvedUnit, key: String, _ further: [String] = []
  ) -> String {
    let pairs = ["\(key): \(unit.kind)"] + pairs(unit.declarations, unit.arguments) + further
    return "{\(pairs.joined(separator: ", "))}"
  }

  private static func text(of setting: LipschitzSetting?) -> String? {
    switch setting {
    case nil: nil
    case .unconstrained: "unconstrained"
    case .bound(let bound, nil, _, _): "{bound: \(bound.yamlText)}"
    case .bound(let bound, let norm?, _, _): "{norm: \(norm.rawValue), bound: \(bound.yamlText)}"
    }
  }

  private static func text(of setting: ConstraintSetting?) -> String? {
    guard let setting else { return nil }
    let pairs = setting.arguments.map { Self.pairs(setting.type?.arguments ?? [], $0) } ?? []
    return "{\((["type: \(setting.kind)"] + pairs).joined(separator: ", "))}"
  }

  private static func text(of claim: Target.Claim) -> String {
    func goal(_ key: String, _ value: Double?) -> String {
      value.map { "\(key): \($0.yamlText)" } ?? "report: true"
    }
    switch claim {
    case .lipschitz(let of, let norm, let bound):
      let network = of.map { "of: \($0.yamlText), " } ?? ""
      return "lipschitz: {\(network)norm: \(norm.rawValue), \(goal("bound", bound))}"
    case .accuracy(let share):
      return "accuracy: {\(goal("at_least", share))}"
    case .certifiedAccuracy(let norm, let radius, let share):
      return "certified_accuracy: {norm: \(norm.rawValue), radius: \(radius.yamlText), "
        + "\(goal("at_least", share))}"
    }
  }
}

extension NameList {
  fileprivate var yamlText: String {
    isList ? names.map(\.name).yamlText : names[0].name.yamlText
  }
}

/// Lines of YAML at an indentation.
struct ResolvedWriter {
  private(set) var text = ""
  private var margin = ""

  mutating func line(_ line: String) { text += "\(margin)\(line)\n" }

  mutating func indented(by levels: Int = 1, _ body: (inout ResolvedWriter) -> Void) {
    let previous = margin
    margin += String(repeating: "  ", count: levels)
    body(&self)
    margin = previous
  }

  mutating func section(_ key: String, _ body: (inout ResolvedWriter) -> Void) {
    line("\(key):")
    indented(body)
  }
}
