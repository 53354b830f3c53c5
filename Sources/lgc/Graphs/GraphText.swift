extension DrawnGraph {
  /// One line a layer; what does not read the line above says what it reads.
  var text: String {
    var rows = [["layer", "kind", "output", "bound", "reads"], ["input", "", input, "", ""]]
    for (number, node) in nodes.enumerated() {
      let before: Int? = number == 0 ? nil : number - 1
      let reads = node.inputs == [before] ? "" : node.inputs.map(name).joined(separator: ", ")
      rows.append([
        node.name, node.kind, node.shape, node.bound,
        [reads, node.formula ?? ""].filter { !$0.isEmpty }.joined(separator: ": "),
      ])
    }
    rows.append(["network", "", output.map { nodes[$0].shape } ?? input, total, ""])
    return "\(title): bounds in \(norm)\n\n"
      + aligned(rows, rightAligned: []).joined(separator: "\n") + "\n"
  }

  /// Graphviz.
  var dot: String {
    var out = "digraph \(quoted(title)) {\n"
    out += "  rankdir=TB;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
    out += "  input [label=\(quoted("input\n\(input)")), shape=plaintext];\n"
    for (number, node) in nodes.enumerated() {
      let label = "\(node.name)\n\(node.kind) · \(node.shape)\n\(node.formula ?? "") \(node.bound)"
      let style = node.isBounded ? "" : ", color=red"
      out += "  n\(number) [label=\(quoted(label))\(style)];\n"
    }
    for (number, node) in nodes.enumerated() {
      for source in node.inputs { out += "  \(id(source)) -> n\(number);\n" }
    }
    out += "  output [label=\(quoted("network \(total) in \(norm)")), shape=plaintext];\n"
    return out + "  \(id(output)) -> output;\n}\n"
  }

  /// A Mermaid flowchart.
  var mermaid: String {
    func label(_ lines: [String]) -> String {
      // Quotation marks and brackets are Mermaid's own; it knows HTML's references.
      let text = lines.filter { !$0.isEmpty }.map { line in
        line.map { character -> String in
          switch character {
          case "\"": "#quot;"
          case "<": "#lt;"
          case ">": "#gt;"
          case "#": "#35;"
          case "&": "#amp;"
          default: String(character)
          }
        }.joined()
      }
      return "\"" + text.joined(separator: "<br/>") + "\""
    }
    var out = "flowchart TD\n  input([\(label(["input", input]))])\n"
    for (number, node) in nodes.enumerated() {
      let lines = [
        node.name, "\(node.kind) · \(node.shape)", [node.formula ?? "", node.bound]
          .filter { !$0.isEmpty }.joined(separator: " "),
      ]
      out += "  n\(number)[\(label(lines))]\n"
    }
    for (number, node) in nodes.enumerated() {
      for source in node.inputs { out += "  \(id(source)) --> n\(number)\n" }
    }
    out += "  output([\(label(["network \(total) in \(norm)"]))])\n"
    return out + "  \(id(output)) --> output\n"
  }

  private func id(_ value: Int?) -> String { value.map { "n\($0)" } ?? "input" }

  private func quoted(_ text: String) -> String {
    var out = "\""
    for character in text {
      switch character {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      default: out.append(character)
      }
    }
    return out + "\""
  }
}
