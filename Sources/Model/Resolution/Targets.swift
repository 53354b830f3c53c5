import Diagnostics
import Rounding
import YAML

// `targets:` → [Target].

extension Resolver {
  private enum Keys {
    static let of = Argument<String>.optional("of", "The network, where there are several.")
    static let norm = Argument<Norm>.optional("norm", "The norm; that of the model by default.")
    static let bound = Argument<Double>.optional("bound", "The bound to prove.", in: .nonNegative)
    static let radius = Argument<Double>("radius", "The attack's size.", in: .nonNegative)
    static let atLeast = Argument<Double>.optional(
      "at_least", "The share of test samples, from 0 to 1.", in: .unit)
    static let report = Argument<Bool>(
      "report", "Whether the number is printed without judging it.", default: false)
  }

  /// Each target: its word, what it claims, its keys, and the one that a bare value sets.
  static var targetDeclarations:
    [(name: String, summary: String, keys: [any ArgumentDeclaration], shorthand: String)]
  {
    [
      (
        "lipschitz", "The network's proved Lipschitz bound is at most this.",
        [Keys.of, Keys.norm, Keys.bound, Keys.report], "bound"
      ),
      (
        "accuracy", "This share of the test samples is classified right.",
        [Keys.atLeast, Keys.report], "at_least"
      ),
      (
        "certified_accuracy",
        "This share of the test samples is classified right, and no change below the radius "
          + "turns it.",
        [Keys.norm, Keys.radius, Keys.atLeast, Keys.report], "radius"
      ),
    ]
  }

  /// - Parameter norm: what a target that names no norm is about.
  func resolveTargets(_ node: Node, networks: [String], norm: Norm) -> [Target] {
    var entries: [Entry] = []
    for item in node.sequence ?? [node] {
      if let mapping = item.mapping {
        entries += mapping.filter { !$0.key.isFreeKey }
      } else if let word = item.string {
        entries.append(
          Entry(key: word, keySpan: item.span, value: Node(.scalar(Scalar("")), span: item.span)))
      } else {
        diagnostics.append(
          .expected("a list of targets", found: item, help: "write `- lipschitz: {bound: …}`"))
      }
    }
    return entries.compactMap { resolveTarget($0, networks: networks, norm: norm) }
  }

  private func resolveTarget(_ entry: Entry, networks: [String], norm: Norm) -> Target? {
    func arguments(
      _ declarations: [any ArgumentDeclaration], shorthand: String
    ) -> Arguments? {
      decodeArguments(
        declarations, of: entry.key, node: entry.value, named: entry.keySpan,
        shorthand: shorthand, into: &diagnostics)
    }
    switch entry.key {
    case "lipschitz":
      guard
        let arguments = arguments(
          [Keys.of, Keys.norm, Keys.bound, Keys.report], shorthand: "bound"),
        judge(arguments, Keys.bound, entry)
      else { return nil }
      if let name = arguments[optional: Keys.of], !networks.contains(name) {
        diagnostics.append(
          Diagnostic(
            .unknownName, "there is no network `\(name)`", at: arguments.span(of: "of"),
            notes: ["networks: " + listed(networks)], help: didYouMean(name, among: networks)))
        return nil
      }
      if networks.count > 1, arguments[optional: Keys.of] == nil {
        diagnostics.append(
          .missingKey("of", of: "lipschitz", at: entry.keySpan, oneOf(networks)))
        return nil
      }
      return Target(
        claim: .lipschitz(
          of: arguments[optional: Keys.of], norm: arguments[optional: Keys.norm] ?? norm,
          bound: arguments[Keys.report] ? nil : arguments[optional: Keys.bound]),
        span: arguments.span(of: "bound"))
    case "accuracy":
      guard let arguments = arguments([Keys.atLeast, Keys.report], shorthand: "at_least"),
        judge(arguments, Keys.atLeast, entry)
      else { return nil }
      return Target(
        claim: .accuracy(
          atLeast: arguments[Keys.report] ? nil : arguments[optional: Keys.atLeast]),
        span: arguments.span(of: "at_least"))
    case "certified_accuracy":
      guard
        let arguments = arguments(
          [Keys.norm, Keys.radius, Keys.atLeast, Keys.report], shorthand: "radius"),
        judge(arguments, Keys.atLeast, entry)
      else { return nil }
      return Target(
        claim: .certifiedAccuracy(
          norm: arguments[optional: Keys.norm] ?? norm, radius: arguments[Keys.radius],
          atLeast: arguments[Keys.report] ? nil : arguments[optional: Keys.atLeast]),
        span: arguments.span(of: "at_least"))
    default:
      let known = ["lipschitz", "accuracy", "certified_accuracy"]
      diagnostics.append(
        Diagnostic(
          .unknownKind, "unknown target `\(entry.key)`", at: entry.keySpan,
          notes: ["known: " + known.map { "`\($0)`" }.joined(separator: ", ")],
          help: didYouMean(entry.key, among: known)))
      return nil
    }
  }

  /// A target is judged by a number, or says `report: true`.
  private func judge(
    _ arguments: Arguments, _ number: Argument<Double>, _ entry: Entry
  ) -> Bool {
    if arguments[optional: number] != nil || arguments[Keys.report] { return true }
    diagnostics.append(
      Diagnostic(
        .missingKey, "the key `\(number.name)` is missing in `\(entry.key)`", at: entry.keySpan,
        help: "add `\(number.name): …`, or `report: true` to print the number without judging it"))
    return false
  }
}
