import Diagnostics
import YAML

/// `vars:` — values by name that the rest of the description writes as `$name`.
///
/// A plain scalar that is nothing but `$name` becomes the value, which may be any YAML and keeps the
/// place where it was written; within a longer plain scalar (`mlp-$width`) it must be a scalar and
/// its text is put in. `$$` is a dollar sign, quoted scalars are left alone. A variable may use those
/// above it.
struct Variables {
  private var values: [String: Node] = [:]
  private var entries: [Entry] = []
  private var used: Set<String> = []
  private(set) var diagnostics: [Diagnostic] = []
  /// Nodes left to be made: `$a` of lists of `$b` of lists … grows like aliases do.
  private var budget = Limits.standard.nodes
  /// Bytes left to be put in: `$a$a` of `$b$b` … doubles with each.
  private var bytes = Limits.standard.bytes
  private var isExhausted = false

  /// The description without `vars` and with every variable replaced; nil where it became too large.
  mutating func substituted(_ root: Node) -> Node? {
    guard let entry = root.entry("vars") else {
      // Without variables a dollar sign means nothing.
      return root
    }
    if let mapping = entry.value.mapping {
      for var variable in mapping where !variable.key.isFreeKey {
        guard variable.key.isVariableName else {
          diagnostics.append(
            Diagnostic(
              .outOfRange, "`\(variable.key)` cannot be a variable's name", at: variable.keySpan,
              help: "use letters, digits and `_`, not a digit at the start"))
          continue
        }
        variable.value = replace(variable.value)
        values[variable.key] = variable.value
        entries.append(variable)
      }
    } else if !entry.value.isNull {
      diagnostics.append(.expected("a mapping of names to values", found: entry.value))
    }
    var result = root
    result.content = .mapping(
      (root.mapping ?? []).filter { $0.key != "vars" }.map { entry in
        var entry = entry
        if !entry.key.isFreeKey { entry.value = replace(entry.value) }
        return entry
      })
    for entry in entries where !used.contains(entry.key) {
      diagnostics.append(
        Diagnostic(
          .unusedVariable, "nothing uses the variable `\(entry.key)`", at: entry.keySpan,
          help: "write `$\(entry.key)` where its value belongs"))
    }
    return isExhausted ? nil : result
  }

  private mutating func replace(_ node: Node) -> Node {
    var result = node
    switch node.content {
    case .scalar(let scalar):
      if scalar.isQuoted || !scalar.text.utf8.contains(UInt8(ascii: "$")) { return node }
      return replace(scalar, node)
    case .sequence(let items):
      result.content = .sequence(items.map { replace($0) })
    case .mapping(let entries):
      result.content = .mapping(
        entries.map { entry in
          var entry = entry
          entry.value = replace(entry.value)
          return entry
        })
    }
    return result
  }

  private mutating func replace(_ scalar: Scalar, _ node: Node) -> Node {
    let bytes = Array(scalar.text.utf8)
    let dollar = UInt8(ascii: "$")
    var text: [UInt8] = []
    var index = 0
    while index < bytes.count {
      guard bytes[index] == dollar else {
        text.append(bytes[index])
        index += 1
        continue
      }
      if index + 1 < bytes.count, bytes[index + 1] == dollar {
        text.append(dollar)
        index += 2
        continue
      }
      var end = index + 1
      while end < bytes.count, bytes[end].isVariableByte { end += 1 }
      let name = String(decoding: bytes[index + 1..<end], as: UTF8.self)
      guard let value = value(of: name, at: node.span) else { return node }
      if index == 0, end == bytes.count {
        var result = value
        result.alias = node.span
        return result
      }
      guard let part = value.scalar else {
        diagnostics.append(
          Diagnostic(
            .wrongType, "`$\(name)` is \(value.kindDescription) and cannot be part of a text",
            at: node.span, labels: [.init(value.span, "its value")]))
        return node
      }
      text += Array(part.text.utf8)
      index = end
    }
    var result = node
    result.content = .scalar(Scalar(String(decoding: text, as: UTF8.self)))
    return result
  }

  private mutating func value(of name: String, at span: Span) -> Node? {
    guard let value = values[name] else {
      guard diagnostics.count <= Limits.standard.errors else { return nil }
      let known = entries.map(\.key)
      diagnostics.append(
        Diagnostic(
          .unknownName, name.isEmpty ? "`$` is followed by no name" : "there is no variable `\(name)`",
          at: span,
          notes: known.isEmpty ? [] : ["variables above: " + listed(known)],
          help: didYouMean(name, among: known) ?? "a dollar sign is written `$$`, or in quotes"))
      return nil
    }
    used.insert(name)
    let size = value.size
    budget -= size.nodes
    bytes -= size.bytes
    if budget >= 0, bytes >= 0 { return value }
    if !isExhausted {
      diagnostics.append(
        budget < 0
          ? Diagnostic(
            .tooManyNodes,
            "with this variable the description has more than \(Limits.standard.nodes) nodes",
            at: span)
          : Diagnostic(
            .tooLarge,
            "with this variable the description is larger than \(Limits.standard.bytes >> 20) MiB",
            at: span))
    }
    isExhausted = true
    return nil
  }
}

extension Node {
  /// Of itself and everything in it: nodes, keys counted too, and bytes of the scalars' texts.
  var size: (nodes: Int, bytes: Int) {
    switch content {
    case .scalar(let scalar): return (1, scalar.text.utf8.count)
    case .sequence(let items):
      return items.reduce((1, 0)) { sum, item in
        let size = item.size
        return (sum.0 + size.nodes, sum.1 + size.bytes)
      }
    case .mapping(let entries):
      return entries.reduce((1, 0)) { sum, entry in
        let size = entry.value.size
        return (sum.0 + 1 + size.nodes, sum.1 + entry.key.utf8.count + size.bytes)
      }
    }
  }
}

extension UInt8 {
  fileprivate var isVariableByte: Bool {
    isASCIILetter || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
      || self == UInt8(ascii: "_")
  }
}

extension String {
  fileprivate var isVariableName: Bool {
    guard let first = utf8.first else { return false }
    return (first.isASCIILetter || first == UInt8(ascii: "_")) && utf8.allSatisfy(\.isVariableByte)
  }
}
