import Lipschitz
import Model
import Rounding
import Tensors

/// The result of `lgc check` for people: a table a network, a line a target.
struct CheckTable {
  let usesColor: Bool

  func render(_ check: Check) -> String {
    guard let experiment = check.experiment, let analysis = check.analysis else { return "" }
    var out = analysis.networks.map { network($0, of: experiment) }.joined(separator: "\n")
    if !analysis.targets.isEmpty {
      out += "\n" + targets(analysis.targets)
    }
    return out
  }

  private func network(_ analysis: NetworkAnalysis, of experiment: Experiment) -> String {
    let network = analysis.network
    let title = network.name == "model" ? experiment.name : "\(experiment.name), \(network.name)"
    let norm = analysis.norm
    var rows = [["layer", "output", "parameters", "bound", "held by"]]
    rows.append(["input", network.inputShape.shapeText, "", "", ""])
    for (node, layer) in zip(network.nodes, analysis.layers) {
      rows.append([
        node.name, node.outputShape.shapeText,
        node.parameterCount == 0 ? "" : String(node.parameterCount),
        layer.bound.text(significant: 6), layer.heldBy,
      ])
    }
    let total = analysis.total[norm] ?? .unknown
    rows.append([
      "network", network.outputShape.shapeText, String(network.parameterCount),
      total.text(significant: 6), total.isFinite ? "all of the above" : "nothing yet",
    ])
    let lines = aligned(rows, rightAligned: [2, 3]).enumerated().map { index, line in
      index == 0 || index == rows.count - 1 ? paint(line, "1") : line
    }
    return "\(paint(title, "1")): Lipschitz bounds in \(norm.rawValue)\(network.domainText)\n\n"
      + lines.joined(separator: "\n") + "\n"
  }

  private func targets(_ targets: [TargetAnalysis]) -> String {
    let rows = targets.map { target -> [String] in
      switch target.verdict {
      case .proved: [target.text, target.explanation]
      case .refuted: [target.text, "refuted: \(target.explanation)"]
      case .undecided: [target.text, "cannot be decided statically: \(target.explanation)"]
      case .reported: [target.text, "reported only: \(target.explanation)"]
      }
    }
    let lines = zip(aligned(rows, rightAligned: []), targets).map { line, target in
      switch target.verdict {
      case .proved: paint(line, "32")
      case .refuted: paint(line, "31")
      case .undecided, .reported: line
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func paint(_ text: String, _ style: String) -> String {
    usesColor ? "\u{1B}[\(style)m\(text)\u{1B}[0m" : text
  }
}
