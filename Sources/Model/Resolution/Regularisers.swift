import Diagnostics
import YAML

// `regularize:` → [NetworkRegulariser].

extension Resolver {
  /// A list whose entries are kinds: `- l2: 1e-4`, `- gradient_penalty: {weight: 1}`.
  func resolveRegularisers(_ entry: Entry) -> [NetworkRegulariser] {
    guard let nodes = entry.value.sequence else {
      diagnostics.append(
        .expected(
          "a list of regularisers", found: entry.value,
          help: entry.value.mapping == nil ? "write `- l2: 1e-4`" : "begin each with `- `"))
      return []
    }
    let words = catalogs.regularisers.map { $0.kind }
    var counts: [String: Int] = [:]
    return nodes.compactMap { node in
      guard
        let written = WrittenLayer(node, what: "regulariser", words: words, into: &diagnostics),
        let type = kind(
          written.kind, at: written.kindSpan, of: catalogs.regularisers, { $0.kind },
          family: "regulariser"),
        let arguments = decode(
          unit: type, node: written.body, named: written.kindSpan, into: &diagnostics),
        let regulariser = instantiate(
          arguments, into: &diagnostics,
          { (arguments) throws(ArgumentProblem) -> any Regulariser in try type.init(arguments) })
      else { return nil }
      counts[written.kind, default: 0] += 1
      let count = counts[written.kind]!
      return NetworkRegulariser(
        name: count == 1 ? written.kind : "\(written.kind)_\(count)", regulariser: regulariser,
        arguments: arguments, span: written.kindSpan)
    }
  }

  /// - Parameter labels: what the samples are most likely labelled with; the data decide.
  func checkRegularisers(of network: Network, labels: LabelKind?) {
    for entry in network.regularisers {
      if let refusal = entry.regulariser.refusal(output: network.outputShape, labels: labels) {
        diagnostics.append(Diagnostic(.conflictingKeys, refusal, at: entry.span))
      }
      guard entry.regulariser.penalisesInputGradients else { continue }
      if let mixing = network.nodes.first(where: \.mixesSamples) {
        diagnostics.append(
          Diagnostic(
            .batchStatistics,
            "`\(entry.kind)` penalises gradients at single samples, and `\(mixing.kind)` makes "
              + "an output a function of the whole batch",
            at: mixing.kindSpan, labels: [.init(entry.span, "the penalty")],
            help: "use `layer_norm`, or no normalisation"))
      }
      if let random = network.nodes.first(where: { $0.layer.isRandomInTraining }) {
        diagnostics.append(
          Diagnostic(
            .randomLayer,
            "`\(entry.kind)` penalises the network that `\(random.kind)` leaves in a step, not the "
              + "one that is stored",
            at: random.kindSpan, labels: [.init(entry.span, "the penalty")],
            help: "a penalised gradient needs no `\(random.kind)` beside it"))
      }
    }
  }
}
