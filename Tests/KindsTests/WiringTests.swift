import Diagnostics
import Model
import Tensors
import Testing

private func model(_ layers: String, _ rest: String = "", input: String = "[4]") -> String {
  "lgc: 1\nname: example\nmodel:\n  input: \(input)\n\(rest)  layers:\n    - "
    + layers.split(separator: ";").map { $0.drop { $0 == " " } }.joined(separator: "\n    - ")
    + "\n"
}

private func diagnostics(_ text: String) -> [Diagnostic] {
  loadExperiment(
    SourceFile(path: "example.yaml", text: text), catalogs: catalogs, directory: "."
  ).diagnostics
}

@Suite struct WiringTests {
  @Test func aLayerReadsWhatFromNames() throws {
    let network = try network(
      model("dense: {name: a, units: 3}; dense: {name: b, units: 3, from: input}; "
        + "add: {from: [a, b]}"))
    #expect(network.nodes.map(\.inputs) == [[.input], [.input], [.node(0), .node(1)]])
  }

  @Test func namesAreFoundInTheirOwnListFirstAndThenAround() throws {
    let network = try network(
      model(
        "dense: {name: a, units: 4}; "
          + "parallel: {branches: [[{dense: {name: a, units: 4}}, relu, add: {from: [a, relu_1]}], "
          + "[{scale: 2}, {add: {from: [a, scale_1]}}]]}; add: {from: [parallel_1.1.a, a, "
          + "parallel_1]}"))
    let names = network.nodes.map(\.name)
    #expect(
      names == [
        "a", "parallel_1.1.a", "parallel_1.1.relu_1", "parallel_1.1.add_1", "parallel_1.2.scale_1",
        "parallel_1.2.add_1", "parallel_1", "add_1",
      ])
    #expect(network.nodes[3].inputs == [.node(1), .node(2)])
    #expect(network.nodes[5].inputs == [.node(0), .node(4)])
    #expect(network.nodes[7].inputs == [.node(1), .node(0), .node(6)])
  }

  @Test func aNameMeansTheLayerWithItsResidualConnection() throws {
    let network = try network(
      model("dense: {name: a, units: 4, residual: true}; relu; add: {from: [a, relu_1]}"))
    #expect(network.nodes[3].inputs == [.node(1), .node(2)])
  }

  @Test func outputsOfTheModelAreOneValueOrAConcatenation() throws {
    let one = try network(model("dense: {name: a, units: 3}", "  outputs: a\n"))
    #expect(one.output == .node(0))
    let two = try network(
      model("dense: {name: a, units: 3}; dense: 2", "  outputs: [a, dense_2]\n"))
    #expect(two.outputShape == [5])
    #expect(two.nodes[2].inputs == [.node(0), .node(1)])
  }

  /// The text under each caret, and the code.
  @Test(arguments: [
    ("add: {from: [«relu_9», input]}; relu", "unknown-name"),
    ("dense: 3; add: {from: [dense_1, «dense_3»]}; dense: {name: dense_3, units: 3}",
      "unknown-name"),
    ("«dense»: {name: a, units: 3}; dense: {units: 3, from: input}", "unread-layer"),
    ("dense: {units: 3, from: «[input, input]»}", ""),
    ("residual: {from: «[input, input]», layers: [relu]}", "shape-mismatch"),
    ("dense: {name: a, units: 3}; «add»: {from: [a, input]}", "shape-mismatch"),
    ("add: {from: [input, input], «residual»: true}", "conflicting-keys"),
    ("«parallel»: {combine: sum, branches: [[dense: 3], [dense: 2]]}", "shape-mismatch"),
    ("parallel: {branches: «[[dense: 3]]»}", "out-of-range"),
    ("parallel: {branches: «3»}", "wrong-type"),
    ("«parallel»: {combine: sum}", "missing-key"),
    ("parallel: {«branch»: [[], []]}", "unknown-key"),
    ("parallel: {combine: «concatenate», branches: [[], []]}", "wrong-type"),
    ("parallel: {combine: sum, weights: «[1, 2]», branches: [[], []]}", "conflicting-keys"),
    ("parallel: {combine: weighted, weights: «[1]», branches: [[], []]}", "out-of-range"),
    ("parallel: {combine: «weighted», branches: [[], []]}", "out-of-range"),
    ("parallel: {axis: «1», branches: [[], []]}", "conflicting-keys"),
    ("«parallel»: {combine: concat, axis: 1, branches: [[], []]}", "shape-mismatch"),
    ("«repeat»: {times: 2, shared: true, layers: [dense: 3]}", "shape-not-preserved"),
    ("relu: {from: «3»}", "wrong-type"),
  ])
  func wrongWiringIsRefusedAtItsPlace(_ trial: (layers: String, code: String)) throws {
    // `dense` takes one input: the caret is under the layer itself, as for every shape.
    let layers = trial.code.isEmpty
      ? "«dense»: {units: 3, from: [input, input]}" : trial.layers
    let marked = Trial(kind: "wiring", .bad(layers, .shapeMismatch)) { model($0) }
    let errors = diagnostics(marked.text).filter { $0.severity == .error }
    #expect(errors.count == 1, "\(errors.map(\.message))")
    let error = try #require(errors.first)
    #expect(error.code.name == (trial.code.isEmpty ? "shape-mismatch" : trial.code))
    let span = try #require(error.span)
    #expect(span.start..<span.end == marked.mark, "the caret is under '\(span.text)'")
  }

  @Test func aMisspelledNameIsSuggested() throws {
    let errors = diagnostics(model("dense: {name: first, units: 4}; add: {from: [frist, input]}"))
    #expect(errors.first?.help == "did you mean `first`?")
  }

  @Test func theResolvedTextReadsBackAsTheSameGraph() throws {
    let text = model(
      "dense: {name: a, units: 4}; parallel: {branches: [[], [dense: 4, relu]], combine: concat}; "
        + "repeat: {times: 2, shared: true, layers: [dense: 8]}; "
        + "parallel: {combine: weighted, weights: [0.5, 0.25], branches: [[relu], []]}; "
        + "add: {from: [parallel_1, parallel_2], weights: [1, 2]}; "
        + "dense: {units: 1, from: a}; residual: {from: a, layers: [relu]}",
      "  outputs: [add_1, dense_2, residual_1]\n")
    func load(_ text: String) throws -> Experiment {
      let (experiment, found) = loadExperiment(
        SourceFile(path: "x.yaml", text: text), catalogs: catalogs, directory: ".")
      guard let experiment else { throw DiagnosticError(found) }
      return experiment
    }
    let first = try load(text)
    let second = try load(first.resolvedText)
    #expect(second.resolvedText == first.resolvedText)
    #expect(
      second.networks[0].nodes.map { "\($0.name) \($0.inputs)" }
        == first.networks[0].nodes.map { "\($0.name) \($0.inputs)" })
  }

  /// f(x) = W·(W·x + b) + b, and the gradient reaches W through both rounds.
  @Test func roundsWithSharedWeightsUseTheSameTensors() throws {
    let network = try network(
      model("repeat: {times: 2, shared: true, layers: [dense: 1]}", input: "[1]"))
    let run = try LayerRun(network, batch: 1, mode: .deployed)
    run.state = ["repeat_1.1.dense_1.weight": [3], "repeat_1.1.dense_1.bias": [0.5]]
    #expect(try run.output([2]) == [20])
    run.c = [1]
    // d/dW (W²x + Wb + b) = 2Wx + b, d/db = W + 1.
    let gradients = try run.gradients([2]).first
    #expect(gradients["repeat_1.1.dense_1.weight"] == [12.5])
    #expect(gradients["repeat_1.1.dense_1.bias"] == [4])
  }
}
