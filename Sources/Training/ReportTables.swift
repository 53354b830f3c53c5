import Formats
import Rounding

// The tables of a report.

extension Report {
  /// What `bound.json` proves in one norm.
  struct Proof {
    struct Layer {
      let name: String
      let kind: String
      let shape: String
      let bound: UpperBound
      let evidence: String
      /// Whether it is a constant of the layer's kind, whatever the weights.
      var isConstant: Bool { evidence == "constant" }
    }
    let network: String
    let norm: String
    let result: UpperBound
    let product: UpperBound
    let method: String
    let layers: [Layer]
  }

  var proofs: [Proof] {
    guard let certificate = files.certificate else { return [] }
    var nodes: [String: JSON] = [:]
    for node in certificate["graph"]?["nodes"]?.array ?? [] {
      if let name = node["name"]?.string { nodes[name] = node }
    }
    return (certificate["bounds"]?.array ?? []).map { bound in
      Proof(
        network: certificate["name"]?.string ?? "model", norm: bound["norm"]?.string ?? "",
        result: Self.upper(bound["result"]), product: Self.upper(bound["product"]),
        method: bound["method"]?.string ?? "",
        layers: (bound["operators"]?.array ?? []).map { row in
          let name = row["node"]?.string ?? ""
          let shape = nodes[name]?["shape"]?.array?.compactMap(\.integer).map(String.init) ?? []
          let kind = nodes[name]?["operation"]?["type"]?.string ?? ""
          return .init(
            // The certificate states the constant of a layer's kind, not the kind.
            name: name, kind: kind == "known" ? "known constant" : kind,
            shape: shape.joined(separator: " × "), bound: Self.upper(row["bound"]),
            evidence: row["evidence"]?["type"]?.string ?? "")
        })
    }
  }

  /// A C99 hexadecimal number of the certificate, which is exact; `null` is no bound.
  private static func upper(_ value: JSON?) -> UpperBound {
    value?.string.flatMap(Double.init).map { UpperBound(proved: $0) } ?? .unknown
  }

  var bounds: [Markup] {
    proofs.flatMap { proof -> [Markup] in
      let estimates = lastEstimates
      let hasEstimates = proof.layers.contains { estimates[$0.name] != nil }
      var rows = proof.layers.map { layer -> Markup in
        var cells = [
          cell(layer.name), cell(layer.kind), cell(layer.shape, "number"),
          cell(layer.bound.shown(7), "number"), cell(layer.evidence),
        ]
        if hasEstimates {
          cells.insert(
            cell(estimates[layer.name].map { decimal($0, 4) } ?? "", "number"), at: 3)
        }
        return .element("tr", layer.isConstant ? [("class", "quiet")] : [], cells)
      }
      rows.append(
        .element(
          "tr", [("class", "total")],
          [
            cell("network"), cell(""), cell("", "number"),
          ] + (hasEstimates ? [cell("", "number")] : []) + [
            cell(proof.result.shown(7), "number"), cell(proof.method),
          ]))
      var heads = ["layer", "operation", "output", "proved bound", "by"]
      if hasEstimates { heads.insert("estimate in training", at: 3) }
      var text = "The \(proof.norm) bound of the stored weights is \(proof.result.shown(8))"
      if proof.method != "product" {
        text += ", by the method “\(proof.method)”; the product of the layers’ bounds is "
          + proof.product.shown(8)
      }
      return [
        .element("p", [], text: text + "."),
        table(heads, right: hasEstimates ? [2, 3, 4] : [2, 3], rows),
      ]
    }
  }

  /// The last line's `norms`.
  private var lastEstimates: [String: Double] {
    let members = files.metrics.last { $0["norms"] != nil }?["norms"]?.members ?? []
    return Dictionary(
      members.compactMap { member in member.value.double.map { (member.name, $0) } },
      uniquingKeysWith: { first, _ in first })
  }

  var targets: [Markup] {
    guard let targets = files.record["targets"]?.array, !targets.isEmpty else { return [] }
    let rows = targets.map { target -> Markup in
      let met = target["met"]?.bool
      let (word, kind) =
        switch met {
        case true?: ("✓ met", "verdict good")
        case false?: ("✗ not met", "verdict bad")
        case nil: ("reported", "verdict")
        }
      return .element(
        "tr", [],
        [
          cell(target["claim"]?.string ?? ""), cell(target["outcome"]?.string ?? "", "number"),
          cell(word, kind),
        ])
    }
    return [table(["claim", "found", ""], right: [1], rows)]
  }

  var runTable: Markup? {
    let record = files.record
    var rows: [(String, String)] = [("directory", files.path)]
    func add(_ label: String, _ text: String?) {
      if let text, !text.isEmpty { rows.append((label, text)) }
    }
    add("description", record["description"]?.string)
    add("SHA-256 of it", record["description_sha256"]?.string)
    add("overrides", record["overrides"]?.array?.compactMap(\.string).joined(separator: ", "))
    add("seed", record["seed"]?.integer.map { "\($0)" } ?? record["seed"]?.string)
    add("processor", record["processor"]?.string)
    add("started", record["start"]?.string)
    add("ended", record["end"]?.string)
    add("lgc", record["lgc"]?.string)
    return table(
      [], right: [],
      rows.map { label, text in
        .element("tr", [], [.element("th", [("scope", "row")], text: label), cell(text)])
      })
  }

  var description: Markup? {
    files.description.map { text in
      .element(
        "details", [],
        [
          .element("summary", [], text: "Description with every default"),
          .element("pre", [], text: text),
        ])
    }
  }

  var samples: [Markup] {
    if files.samples.isEmpty { return [] }
    let pictures = files.samples.map { sample -> Markup in
      .element(
        "figure", [],
        [
          .empty(
            "img",
            [("alt", sample.name), ("src", "data:image/png;base64," + Base64.encode(sample.png))]),
          .element("figcaption", [], text: sample.name),
        ])
    }
    return [.element("div", [("class", "samples")], pictures)]
  }

  // MARK: elements

  func cell(_ text: String, _ style: String = "") -> Markup {
    .element("td", style.isEmpty ? [] : [("class", style)], text: text)
  }

  func table(_ heads: [String], right: Set<Int>, _ rows: [Markup]) -> Markup {
    let head: [Markup] = heads.isEmpty ? [] : [
      .element(
        "thead", [],
        [
          .element(
            "tr", [],
            heads.enumerated().map { index, text in
              .element(
                "th", [("scope", "col")] + (right.contains(index) ? [("class", "number")] : []),
                text: text)
            })
        ])
    ]
    return .element(
      "div", [("class", "table")],
      [.element("table", [], head + [.element("tbody", [], rows)])])
  }
}
