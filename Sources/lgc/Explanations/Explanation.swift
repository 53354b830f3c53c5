import Diagnostics

/// What `lgc explain CODE` says: when a diagnostic appears, and a use of lgc that has it and one
/// that does not. A test runs both.
struct Explanation {
  /// A description in `model.yaml`, and what is run beside it by a shell.
  struct Case {
    let description: String
    let command: String
    init(_ description: String, _ command: String = "lgc check model.yaml") {
      self.description = description
      self.command = command
    }
  }

  let code: DiagnosticCode
  let meaning: String
  /// nil only for lgc's own faults, which no input should bring about.
  let failing: Case?
  let repaired: Case?

  init(
    _ code: DiagnosticCode, _ meaning: String, _ failing: Case? = nil, repaired: Case? = nil
  ) {
    self.code = code
    self.meaning = meaning
    self.failing = failing
    self.repaired = repaired
  }

  /// One for each code of `Codes.swift`, in their order.
  static let all: [Explanation] = yaml + keys + shapes + lipschitz + data + training + files

  /// By number (`L0101`, `101`) or name (`unknown-key`).
  static func find(_ word: String) -> Explanation? {
    let digits = word.uppercased().hasPrefix("L") ? String(word.dropFirst()) : word
    return all.first { $0.code.name == word.lowercased() || $0.code.number == Int(digits) }
  }

  /// As the command prints it.
  var text: String {
    var out = "\(code.id) \(code.name) (\(code.severity.rawValue))\n\n\(meaning)\n"
    func show(_ word: String, _ shown: Case) {
      out += "\n\(word)\n\n"
      if !shown.description.isEmpty { out += indented(shown.description) }
      if shown.command != "lgc check model.yaml" {
        if !shown.description.isEmpty { out += "\n" }
        out += shown.command.split(separator: "\n").map { "    $ \($0)\n" }.joined()
      }
    }
    if let failing { show("Wrong:", failing) }
    if let repaired { show("Repaired:", repaired) }
    return out
  }

  private func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "\n" : "    \($0)\n" }.joined()
  }

  /// A whole description of one network.
  static func network(
    _ layers: String, input: String = "[4]", model: String = "", after: String = ""
  ) -> String {
    let lines = layers.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
    let model = model.split(separator: "\n").map { "  \($0)\n" }.joined()
    return "lgc: 1\nname: example\nmodel:\n  input: \(input)\n\(model)  layers:\n\(lines)"
      + (after.isEmpty ? "" : "\n" + after)
  }

  /// A whole description that trains in an instant.
  static func trained(
    units: String = "2", input: String = "[2]", optimizer: String = "{type: adam, lr: 1e-3}",
    targets: String = ""
  ) -> String {
    """
    lgc: 1
    name: example
    data: {type: synthetic, name: two_moons, samples: 200, test_samples: 100}
    model:
      input: \(input)
      lipschitz: 1
      constraint: spectral
      layers:
        - dense: {units: 8, activation: relu}
        - dense: {units: \(units)}
    loss: cross_entropy
    optimizer: \(optimizer)
    train: {steps: 5, batch: 20}
    """ + (targets.isEmpty ? "" : "\ntargets: \(targets)")
  }
}
