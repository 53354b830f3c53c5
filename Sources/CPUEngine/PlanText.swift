import CKernels
import Tensors

/// A plan to read: memory first, then every step with what it touches and which layers it is for,
/// fused loops with each of their operations, then the buffers with their places and lifetimes.
struct PlanText {
  let plan: Plan
  let states: [String: Shape]
  let stateBytes: Int
  let threads: Int
  /// Bytes of the loops' tiles and partial results.
  let besides: Int

  var text: String { (memory + steps + buffers).joined(separator: "\n") + "\n" }

  // MARK: memory

  private var memory: [String] {
    let fullest = liveBytes.enumerated().max { ($0.element, $1.offset) < ($1.element, $0.offset) }
    let live = fullest.map { "; \($0.element) are live at step \($0.offset)" } ?? ""
    return [
      "program \(plan.name): \(plan.steps.count) steps on \(threads) threads",
      "memory",
      "  state                          \(stateBytes) bytes",
      "  arrays at their peak           \(plan.arenaBytes) bytes"
        + " (\(bytesWithoutReuse) without reuse\(live))",
      "  tiles and partial results      \(besides) bytes",
      "  inputs, outputs and constants  \(plan.keptBytes) bytes",
    ]
  }

  /// Step → bytes of the arena's buffers that hold something then.
  private var liveBytes: [Int] {
    plan.steps.indices.map { step in
      arena.reduce(0) { total, index in
        let buffer = plan.buffers[index]
        return total + (buffer.first <= step && step <= buffer.last ? buffer.bytes : 0)
      }
    }
  }

  private var arena: [Int] {
    plan.buffers.indices.filter { plan.buffers[$0].place == .arena && plan.buffers[$0].last >= 0 }
  }

  private var bytesWithoutReuse: Int { arena.reduce(0) { $0 + plan.buffers[$1].bytes } }

  // MARK: steps

  private var steps: [String] {
    let prepared =
      plan.preparation.isEmpty
      ? [] : ["steps after a change of state"] + lines(of: plan.preparation)
    return prepared + ["steps"] + lines(of: plan.steps)
  }

  private func lines(of steps: [PlannedStep]) -> [String] {
    steps.enumerated().flatMap { index, step in
      let layers = step.layers.isEmpty ? "" : "  ; \(step.layers.joined(separator: ", "))"
      if case .loop(let loop) = step.work {
        let title = "  \(index)  loop \(loop.space.rows)×\(loop.space.columns)\(layers)"
        return [title] + operations(of: loop).map { "       \($0)" }
      }
      let names = step.buffers.reduce(into: [String]()) { names, buffer in
        let name = name(buffer)
        if !names.contains(name) { names.append(name) }
      }
      return ["  \(index)  \(step.label)  [\(names.joined(separator: " "))]\(layers)"]
    }
  }

  private func operations(of loop: PlannedLoop) -> [String] {
    func operand(_ index: some BinaryInteger) -> String {
      let operand = loop.operands[Int(index)]
      return switch operand.base {
      case .temporary: "t\(index)"
      case .constant(let number): "\(number)"
      case .buffer(let buffer):
        switch operand.layout {
        case LGC_ROW: "row \(name(buffer))"
        case LGC_COLUMN: "column \(name(buffer))"
        case LGC_SCALAR: "scalar \(name(buffer))"
        default: name(buffer)
        }
      }
    }
    let computed = loop.instructions.map { instruction in
      let operation = lgc_operation(rawValue: instruction.operation)
      let all = [instruction.a, instruction.b, instruction.c]
      let shown = all.prefix(operation.operandCount).map { operand($0) }
      return "\(operand(instruction.d)) = \(operation.name)(\(shown.joined(separator: ", ")))"
    }
    let folded = loop.reductions.map { reduction in
      "\(name(reduction.buffer)) = \(reduction.maximum ? "maximum" : "sum")"
        + "\(reduction.kept.arrow)(\(operand(reduction.source)))"
    }
    return computed + folded
  }

  // MARK: buffers

  private var buffers: [String] {
    var rows = [["buffer", "place", "bytes", "steps"]]
    for (index, buffer) in plan.buffers.enumerated() where buffer.last >= 0 {
      let lifetime =
        buffer.place == .arena ? "\(buffer.first)–\(buffer.last)" : "always"
      let place =
        switch buffer.place {
        case .state: "state"
        case .arena: "arena at \(buffer.offset)"
        case .kept: "kept"
        }
      rows.append([name(index), place, "\(buffer.bytes)", lifetime])
    }
    let widths = (0..<3).map { column in rows.map { $0[column].count }.max()! }
    return ["buffers"] + rows.map { row in
      let cells = (0..<3).map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 2 ? space + row[column] : row[column] + space
      }
      return "  " + (cells + [row[3]]).joined(separator: "  ")
    }
  }

  private func name(_ index: Int) -> String { PlanText.name(of: index, in: plan) }

  static func name(of index: Int, in plan: Plan) -> String {
    switch plan.buffers[index].place {
    case .state(let name): return name
    case .arena: return "%\(index)"
    case .kept:
      if let input = plan.inputs.first(where: { $0.value == index }) { return "input:\(input.key)" }
      if let output = plan.outputs.filter({ $0.value == index }).keys.sorted().first {
        return "output:\(output)"
      }
      return "constant:\(index)"
    }
  }
}

extension lgc_operation {
  /// Operands that are read beside what is written; Adam's moments are both.
  fileprivate var operandCount: Int {
    if self == LGC_ADAM { return 3 }
    return rawValue < LGC_ADD.rawValue ? 1 : rawValue < LGC_MULTIPLY_ADD.rawValue ? 2 : 3
  }
}

extension lgc_kept {
  /// What a reduction is taken into.
  var arrow: String {
    switch self {
    case LGC_KEEP_COLUMNS: "→columns"
    case LGC_KEEP_ROWS: "→rows"
    case LGC_KEEP_CELLS: "→cells"
    default: "→one"
    }
  }
}
