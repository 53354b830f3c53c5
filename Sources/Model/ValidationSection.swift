import Diagnostics
import YAML

/// The part of the training samples that is held back: `data.validation`.
public struct ValidationSection: Sendable {
  public enum Size: Sendable, Hashable { case share(Double), count(Int) }
  public var size: Size
  /// Decides which samples; nil: `train.seed`.
  public var seed: UInt64?
  public var span: Span

  /// How many of `total` samples: a share is rounded, and never to none.
  public func count(of total: Int) -> Int {
    switch size {
    case .count(let count): count
    case .share(let share): max(1, Int((share * Double(total)).rounded()))
    }
  }
}

extension ValidationSection: ArgumentValue {
  static let share = Argument<Double>.optional(
    "share", "Of the training samples.",
    in: ArgumentRange(lower: 0, upper: 1, excludesLower: true, excludesUpper: true))
  static let count = Argument<Int>.optional(
    "count", "So many of the training samples.", in: ArgumentRange(lower: 1, upper: 1e12))
  static let seed = Argument<Int>.optional(
    "seed", "Decides which samples (the seed of `train`).", in: .nonNegative)

  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> ValidationSection? {
    if node.mapping == nil {
      guard let size = node.double else {
        diagnostics.append(.expected(expectation(range: range), found: node))
        return nil
      }
      if let number = node.int, number > 0 {
        return ValidationSection(size: .count(number), seed: nil, span: node.span)
      }
      if size > 0, size < 1 {
        return ValidationSection(size: .share(size), seed: nil, span: node.span)
      }
      diagnostics.append(.outOfRange(expectation(range: range), found: node))
      return nil
    }
    guard
      let arguments = decodeArguments(
        [share, count, seed], of: "validation", node: node, named: node.startSpan,
        into: &diagnostics)
    else { return nil }
    let own = arguments[optional: seed].map { UInt64($0) }
    switch (arguments[optional: share], arguments[optional: count]) {
    case (let share?, nil):
      return ValidationSection(size: .share(share), seed: own, span: arguments.span(of: "share"))
    case (nil, let count?):
      return ValidationSection(size: .count(count), seed: own, span: arguments.span(of: "count"))
    case (_?, _?):
      diagnostics.append(
        Diagnostic(
          .conflictingKeys, "`share` and `count` both say how much is held back",
          at: arguments.span(of: "count"),
          labels: [.init(arguments.span(of: "share"), "the other one")],
          help: "keep one of them"))
    case (nil, nil):
      diagnostics.append(
        Diagnostic(
          .missingKey, "`validation` does not say how much is held back", at: node.startSpan,
          help: "write `validation: 0.1`, or `{share: 0.1, seed: 0}`"))
    }
    return nil
  }

  public static func expectation(range: ArgumentRange?) -> String {
    "a share between 0 and 1, a whole number of samples, or a mapping with `share` or `count`"
  }
  public var yamlText: String {
    let size =
      switch size {
      case .share(let share): "share: \(share.yamlText)"
      case .count(let count): "count: \(count)"
      }
    return seed.map { "{\(size), seed: \($0)}" } ?? "{\(size)}"
  }
}
