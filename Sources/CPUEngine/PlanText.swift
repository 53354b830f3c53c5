import Tensors

extension Plan {
  /// A plan to read: memory first, then every step with the buffers that it touches, then the
  /// buffers of the arena.
  func text(threads: Int, stateBytes: Int) -> String {
    var lines = [
      "program \(name): \(steps.count) steps on \(threads) threads",
      "  state \(stateBytes) bytes, working memory \(arenaBytes) bytes"
        + " (\(bytesWithoutReuse) without reuse), inputs, outputs and constants \(keptBytes) bytes",
    ]
    if !preparation.isEmpty {
      lines += ["steps after a change of state"] + stepLines(preparation)
    }
    lines += ["steps"] + stepLines(steps)
    lines.append("buffers")
    for (index, buffer) in buffers.enumerated() where buffer.place == .arena && buffer.last >= 0 {
      lines.append(
        "  \(bufferName(index))  \(buffer.bytes) bytes at \(buffer.offset),"
          + " steps \(buffer.first)–\(buffer.last)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func stepLines(_ steps: [PlannedStep]) -> [String] {
    steps.enumerated().map { index, step in
      let buffers = step.buffers.reduce(into: [String]()) { names, buffer in
        let name = bufferName(buffer)
        if !names.contains(name) { names.append(name) }
      }
      let origin = step.origin.map { "  ; \($0.name)" } ?? ""
      return "  \(index)  \(step.label)  [\(buffers.joined(separator: " "))]\(origin)"
    }
  }

  private var bytesWithoutReuse: Int {
    buffers.filter { $0.place == .arena && $0.last >= 0 }.reduce(0) { $0 + $1.bytes }
  }

  private func bufferName(_ index: Int) -> String {
    switch buffers[index].place {
    case .state(let name): return name
    case .arena: return "%\(index)"
    case .kept:
      if let input = inputs.first(where: { $0.value == index }) { return "input:\(input.key)" }
      if let output = outputs.filter({ $0.value == index }).keys.sorted().first {
        return "output:\(output)"
      }
      return "constant:\(index)"
    }
  }
}
