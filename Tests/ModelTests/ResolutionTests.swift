import Diagnostics
import Model
import Rounding
import Tensors
import Testing

@Suite struct ResolutionTests {
  @Test func aWholeDescriptionResolves() throws {
    let (experiment, diagnostics) = load(
      """
      lgc: 1
      name: moons
      x-anchors: [1, 2]
      data: {type: synthetic, range: [0, 1], standardize: {mean: 0.5, deviation: [0.25]}}
      model:
        input: [1, 4, 2]
        lipschitz: {norm: l2, bound: 2}
        constraint: {type: spectral, iterations: 3}
        layers:
          - flatten
          - dense: {name: fc1, units: 16, activation: relu}
          - dense: 3
      loss: {family: cross_entropy, temperature: 0.1}
      optimizer: {type: adam, lr: 2e-3, schedule: cosine}
      train: {steps: 50, batch: 32, seed: 7}
      targets:
        - lipschitz: {norm: l2, bound: 4}
        - certified_accuracy: {radius: 36/255, at_least: 0.6}
        - accuracy: {report: true}
      """)
    #expect(found(diagnostics) == [])
    let whole = try #require(experiment)
    let network = whole.networks[0]
    #expect(network.nodes.map(\.name) == ["flatten_1", "fc1", "relu_1", "dense_2"])
    #expect(network.nodes.map(\.outputShape) == [[8], [16], [16], [3]])
    #expect(network.parameterCount == 8 * 16 + 16 + 16 * 3 + 3)
    #expect(network.output == .node(3))
    let declared = try #require(network.nodes[1].declared)
    #expect(declared.bound == 2 && declared.norm == .l2)
    let constraint = try #require(network.nodes[1].constraint)
    #expect(constraint.kind == "spectral")
    #expect((constraint.unit as? TestSpectral)?.iterations == 3)
    #expect(network.nodes[2].declared == nil)
    #expect(whole.data?.range == 0...1)
    #expect(whole.data?.standardize?.deviation == [0.25])
    #expect(whole.data?.shuffle == true)
    #expect(whole.optimizer?.schedule == .cosine)
    #expect(whole.optimizer?.optimizer.learningRate == 2e-3)
    guard case .steps(50) = whole.train?.length else {
      Issue.record("train.steps is lost")
      return
    }
    #expect(whole.train?.seed == 7)
    guard case .certifiedAccuracy(.l2, let radius, 0.6) = whole.targets[1].claim else {
      Issue.record("certified_accuracy is lost")
      return
    }
    #expect(radius == 36.0 / 255.0)
    #expect(whole.targets[0].span.text == "4")
  }

  @Test func sectionsHaveDefaults() throws {
    let experiment = try #require(load(description("dense: 3")).experiment)
    #expect(experiment.optimizer?.kind == "adam")
    #expect(experiment.optimizer?.optimizer.learningRate == 1e-3)
    guard case .epochs(10) = experiment.train?.length else {
      Issue.record("10 epochs is the default")
      return
    }
    #expect(experiment.train?.batch == 128)
    #expect(experiment.train?.seed == 0)
    #expect(experiment.loss == nil && experiment.data == nil)
  }

  @Test(arguments: [
    ("lgc: 2\nname: t\nfuture: 1\n", ["L0107 «2»"]),
    ("lgc: 0\nname: t\nmodel: {input: 2, layers: [relu]}\n", ["L0107 «0»"]),
    ("name: t\nmodel: {input: 2, layers: [relu]}\n", ["L0102 «name»"]),
    ("lgc: 1\n", ["L0102 «lgc»", "L0102 «lgc»"]),
    ("lgc: '1'\nname: t\nmodel: {input: 2, layers: [relu]}\n", ["L0103 «'1'»"]),
    ("- lgc\n", ["L0103 «- lgc»"]),
    ("lgc: 1\nname: a/b\nmodel: {input: 2, layers: [relu]}\n", ["L0104 «a/b»"]),
    ("lgc: 1\nname: 3\nmodel: {input: 2, layers: [relu]}\n", ["L0103 «3»"]),
    (description("relu") + "tarin: {}\n", ["L0101 «tarin»"]),
    (description("relu") + "report: {every: 5 hours}\n", ["L0103 «5 hours»"]),
    (description("relu") + "report: {every: 0, plot: false}\n", ["L0103 «0»", "L0101 «plot»"]),
    (description("relu") + "report: {samples: 9}\n", ["L0101 «samples»"]),
    ("lgc: 1\nname: t\nmodels: {}\n", ["L0102 «models»", "L0102 «models»"]),
    ("lgc: 1\nnam: t\nmodle: {input: 2, layers: [relu]}\n", ["L0101 «nam»", "L0101 «modle»"]),
    ("lgc: 1\nname: t\nmodel: {inputs: 2, layer: [relu]}\n",
      ["L0101 «inputs»", "L0101 «layer»"]),
    (description("relu", model: "outputs: 1, "), ["L0103 «1»"]),
    (description("relu", model: "inputs: 1, "), ["L0101 «inputs»"]),
    (description("relu", input: "{noise: normal}"), ["L0103 «{noise: normal}»"]),
    (description("relu", input: "[0, 3]"), ["L0104 «0»"]),
    (description("relu", input: "[1, 2, 3, 4]"), ["L0104 «[1, 2, 3, 4]»"]),
    (description("relu") + "data: csv\n", ["L0105 «csv»"]),
    (description("relu") + "data: {type: synthetic, augment: {}, rnge: 1}\n",
      ["L0103 «{}»", "L0101 «rnge»"]),
    (description("relu") + "data: {type: synthetic, range: [1, 0]}\n", ["L0104 «[1, 0]»"]),
    (description("relu") + "data: {type: synthetic, standardize: {mean: 0, deviation: 0}}\n",
      ["L0104 «0»"]),
    (description("relu") + "data: {type: synthetic, shuffle: yes}\n", ["L0103 «yes»"]),
    (description("relu") + "data: {path: x}\n", ["L0102 «data»"]),
    (description("relu") + "loss: wgan\n", ["L0105 «wgan»"]),
    (description("relu") + "loss: {family: crossentropy}\n", ["L0105 «crossentropy»"]),
    (description("relu", input: "[2, 2]") + "loss: cross_entropy\n", ["L0201 «cross_entropy»"]),
    (description("relu") + "optimizer: {type: adam, lr: .nan, schedule: cosin}\n",
      ["L0104 «.nan»"]),
    (description("relu") + "loss: {famly: cross_entropy}\n", ["L0101 «famly»"]),
    (description("relu") + "optimizer: {schedule: cosin}\n", ["L0103 «cosin»"]),
    (description("relu") + "train: {epochs: 1, steps: 2}\n", ["L0110 «2»"]),
    (description("relu") + "train: {epochs: 0, batch: 1.5, seed: -1, checkpoint: soon}\n",
      ["L0104 «0»", "L0103 «1.5»", "L0104 «-1»", "L0103 «soon»"]),
    (description("relu") + "targets: [lipschitz: {bound: .nan}, accuracy: 2, acuracy: 1]\n",
      ["L0104 «.nan»", "L0104 «2»", "L0105 «acuracy»"]),
    (description("relu") + "targets: [lipschitz, certified_accuracy: {at_least: 1}]\n",
      ["L0102 «lipschitz»", "L0102 «certified_accuracy»"]),
    (description("relu") + "targets: [lipschitz: {of: critic, bound: 1}]\n",
      ["L0109 «critic»"]),
  ])
  func aWrongSectionIsUnderlined(_ text: String, _ expected: [String]) {
    #expect(errors(text) == expected)
    #expect(load(text).experiment == nil)
  }

  // MARK: layers

  @Test(arguments: [
    ("dense: {unit: 3}", ["L0101 «unit»"]),
    ("dense: {breadth: 3}", ["L0102 «dense»", "L0101 «breadth»"]),
    ("dense: {units: -3, bias: no}", ["L0104 «-3»", "L0103 «no»"]),
    ("dens: 3", ["L0105 «dens»"]),
    ("conv: {filters: 3}, relu, lstm", ["L0105 «conv»", "L0105 «lstm»"]),
    ("dense: {units: 3, from: x}", ["L0109 «x»"]),
    ("dense: 3, relu: 5", ["L0103 «5»"]),
    ("{dense: , units: 3}", ["L0103 «units»"]),
    ("{type: dense, units: 3}", ["L0103 «type»"]),
    ("{dense: 3, relu: }", ["L0103 «relu»"]),
    ("[relu]", ["L0103 «[relu]»"]),
    ("swell: {slope: 13}", ["L0104 «13»"]),
    ("relu: {name: a}, relu: {name: a}", ["L0108 «a»"]),
    ("relu: {name: relu_2}, relu", ["L0108 «relu»"]),
    ("relu: {name: a b}", ["L0104 «a b»"]),
    ("dense: {units: 3, activation: rele}", ["L0105 «rele»"]),
    ("relu: {lipschitz: 1}", ["L0110 «lipschitz»"]),
    ("relu: {constraint: spectral}", ["L0110 «spectral»"]),
    ("dense: {units: 3, lipschitz: -1}", ["L0104 «-1»"]),
    ("dense: {units: 3, lipschitz: free}", ["L0103 «free»"]),
    ("dense: {units: 3, lipschitz: {norm: l3, bound: 1}}", ["L0103 «l3»"]),
    ("dense: {units: 3, lipschitz: 1, constraint: orthogonal}", ["L0105 «orthogonal»"]),
    ("dense: {units: 3, lipschitz: 1, constraint: {type: spectral, iterations: 0}}",
      ["L0104 «0»"]),
    ("dense: {units: 3, lipschitz: {norm: linf, bound: 1}, constraint: spectral}",
      ["L0304 «spectral»"]),
    ("dense: {units: 3, constraint: spectral}", ["L0102 «spectral»"]),
    ("dense: {units: 3, residual: sum}", ["L0202 «residual»"]),
    ("dense: {units: 8, residual: yes}", ["L0103 «yes»"]),
    ("dense: {units: 8, residual: {mode: convex, weight: 2}}", ["L0104 «2»"]),
    ("residual: {layers: []}", ["L0104 «[]»"]),
    ("residual", ["L0103 «residual»"]),
    ("residual: {mode: sum}", ["L0102 «residual»"]),
    ("residual: {layers: [dense: 3]}", ["L0202 «residual»"]),
    ("residual: {layers: [dense: 3], shortcut: {layers: [dense: 4]}}", ["L0202 «residual»"]),
    ("residual: {layers: [dense: 3], shortcut: {}}", ["L0102 «shortcut»"]),
    ("repeat: {times: 0, layers: [relu]}", ["L0104 «0»"]),
    ("repeat: {layers: [relu]}", ["L0102 «repeat»"]),
    ("repeat: {times: 1000000000, layers: [relu]}", ["L0203 «repeat»"]),
    ("repeat: {times: 1000, layers: [repeat: {times: 1000, layers: [relu]}]}",
      ["L0203 «relu»"]),
    ("dense: 1000000000000", ["L0203 «1000000000000»"]),
    ("dense: 9223372036854775807, dense: 9223372036854775807",
      ["L0203 «9223372036854775807»"]),
  ])
  func aWrongLayerIsUnderlined(_ layers: String, _ expected: [String]) {
    #expect(errors(description(layers)) == expected)
  }

  @Test func aWrongShapeIsOneErrorWithoutACascade() {
    let (_, diagnostics) = load(
      description("relu, dense: 4, dense: 5, dense: 6", input: "[1, 2, 2]"))
    #expect(found(diagnostics) == ["L0201 «dense»"])
    #expect(diagnostics[0].labels.map(\.span.text) == ["relu"])
    #expect(diagnostics[0].labels[0].message == "gives 1×2×2")
  }

  @Test func misindentedArgumentsAreExplained() {
    let (_, diagnostics) = load(
      "lgc: 1\nname: t\nmodel:\n  input: 3\n  layers:\n    - dense:\n      units: 3\n")
    #expect(found(diagnostics) == ["L0103 «units»"])
    #expect(diagnostics[0].message == "`units` stands beside `dense`, not inside it")
  }

  @Test func layersInheritAndOverride() throws {
    let nodes = try network(
      description(
        "dense: 3, dense: {units: 3, lipschitz: 0.5}, "
          + "dense: {units: 3, lipschitz: {norm: l1, bound: 3}, constraint: weak}, "
          + "dense: {units: 3, lipschitz: unconstrained}, dense: {units: 3, constraint: none}",
        model: "lipschitz: 2, constraint: spectral, ")
    ).nodes
    #expect(nodes.map { $0.declared?.bound } == [2, 0.5, 3, nil, 2])
    #expect(nodes.map { $0.declared?.norm } == [.l2, .l2, .l1, nil, .l2])
    #expect(
      nodes.map { $0.constraint?.kind } == ["spectral", "spectral", "weak", nil, nil])
    #expect(nodes[4].declared != nil)
    #expect(nodes[0].declared?.boundSpan.text == "2")
    #expect(nodes[1].declared?.boundSpan.text == "0.5")
  }

  @Test func namesCountKindsInTheirOwnList() throws {
    let nodes = try network(
      description(
        "dense: {units: 8, name: a, activation: relu}, dense: 8, relu, "
          + "residual: {name: block1, layers: [dense: 8, relu, dense: 8], activation: relu}, "
          + "residual: {layers: [dense: 4], shortcut: {layers: [dense: 4]}}, "
          + "repeat: {name: tail, times: 2, layers: [relu, dense: {name: fc, units: 4}]}")
    ).nodes
    #expect(
      nodes.map(\.name) == [
        "a", "relu_1", "dense_2", "relu_2", "block1.dense_1", "block1.relu_1", "block1.dense_2",
        "block1", "relu_3", "residual_2.dense_1", "residual_2.shortcut.dense_1", "residual_2",
        "tail.1.relu_1", "tail.1.fc", "tail.2.relu_1", "tail.2.fc",
      ])
  }

  @Test func residualFlagsAndBlocksBecomeWeightedSums() throws {
    let network = try network(
      description(
        "dense: {units: 8, name: a, residual: true}, "
          + "dense: {units: 8, name: b, residual: {mode: convex, weight: 0.25}}, "
          + "residual: {name: c, weight: -0.5, layers: [dense: 8, relu]}, "
          + "dense: {units: 8, residual: false}"))
    #expect(network.blocks.map(\.name) == ["a.residual", "b.residual", "c"])
    #expect(network.blocks.map(\.mode) == [.sum, .convex, .sum])
    #expect(network.blocks.map(\.weight) == [1, 0.25, -0.5])
    #expect(network.blocks.map(\.entry) == [.input, .node(1), .node(3)])
    #expect(network.blocks.map(\.body) == [.node(0), .node(2), .node(5)])
    #expect(network.blocks.map(\.merge) == [.node(1), .node(3), .node(6)])
    let coefficients = network.blocks.map { block -> [Double] in
      guard case .node(let index) = block.merge,
        case .weightedSum(let sum) = network.nodes[index].operation
      else { return [] }
      #expect(network.nodes[index].inputs == [block.shortcut, block.body])
      return sum
    }
    #expect(coefficients == [[1, 1], [0.75, 0.25], [1, -0.5]])
  }

  @Test func convexCoefficientsNeverSumToMoreThanOne() throws {
    for step in 0...1000 {
      let weight = Double(step) / 1000
      let network = try network(
        description("dense: {units: 8, residual: {mode: convex, weight: \(weight)}}"))
      guard case .weightedSum(let c) = network.nodes[1].operation else {
        Issue.record("no sum")
        return
      }
      // Exact: c₀ + c₁ rounded, and the rounding error by TwoSum.
      let sum = c[0] + c[1]
      let error = (c[0] - (sum - (sum - c[0]))) + (c[1] - (sum - c[0]))
      #expect(sum < 1 || (sum == 1 && error <= 0), "\(weight)")
      #expect(abs(sum - 1) < 1e-15)
    }
  }

  // MARK: overrides

  @Test func overridesReplaceAndAdd() throws {
    let text = description(
      "relu, dense: 3, dense: {name: fc, units: 4}, "
        + "residual: {name: b, layers: [dense: {name: in, units: 4}]}") + "optimizer: adam\n"
    let experiment = try #require(
      load(
        text,
        [
          "train.batch=7", "train.seed=3", "model.layers[dense_1].units=5",
          "model.layers[dense_1].name=first", "model.layers[fc].lipschitz={norm: l1, bound: 2}",
          "model.layers[b].layers[in].bias=false", "model.layers[relu_1].name=act",
          "optimizer.lr=0.5", "name=other",
        ]
      ).experiment)
    #expect(experiment.name == "other")
    #expect(experiment.train?.batch == 7 && experiment.train?.seed == 3)
    #expect(experiment.optimizer?.optimizer.learningRate == 0.5)
    let nodes = experiment.networks[0].nodes
    #expect(nodes.map(\.name) == ["act", "first", "fc", "b.in", "b"])
    #expect(nodes[1].outputShape == [5])
    #expect(nodes[2].declared?.norm == .l1)
    #expect(nodes[3].weights.map(\.name) == ["weight"])
  }

  @Test func anOverrideOfNothingTakesAway() throws {
    let text = description("relu, dense: {units: 3, bias: false}") + "train: {epochs: 3}\n"
    let experiment = try #require(
      load(
        text,
        [
          "train.epochs=", "train.steps=5", "model.layers[dense_1].bias=~",
          "model.layers[relu_1]=null", "loss=",
        ]
      ).experiment)
    guard case .steps(5) = experiment.train?.length else {
      Issue.record("epochs are still there")
      return
    }
    #expect(experiment.networks[0].nodes.map(\.kind) == ["dense"])
    #expect(experiment.networks[0].nodes[0].weights.count == 2)
  }

  @Test(arguments: [
    ("model.layers[nope].units=1", "L0111 «model.layers[nope].units»"),
    ("model..units=1", "L0111 «model..units»"),
    ("model.layers[]=1", "L0111 «model.layers[]»"),
    ("name.first=1", "L0111 «name.first»"),
    ("name[x]=1", "L0111 «name[x]»"),
    ("train.batch=]", "L0111 «]»"),
    ("train.batch=abc", "L0103 «abc»"),
    ("train.bach=3", "L0101 «train.bach»"),
    ("lgc=2", "L0107 «2»"),
  ])
  func aWrongOverrideIsUnderlinedInItsOwnText(_ override: String, _ expected: String) {
    #expect(errors(description("dense: 3"), [override]) == [expected])
  }

  // MARK: resolved text

  @Test func resolvedTextReadsBackAsTheSameExperiment() throws {
    let text = """
      lgc: 1
      name: "two words"
      data: {type: synthetic, range: [0, 1], standardize: {mean: 0.5, deviation: [0.25]}}
      model:
        input: [1, 4, 2]
        lipschitz: 2
        constraint: {type: spectral}
        layers:
          - flatten
          - dense: {units: 16, activation: relu, residual: false}
          - repeat:
              times: 2
              layers:
                - residual: {mode: convex, layers: [dense: 16, relu], activation: {swell: {}}}
                - dense: {units: 16, residual: true, lipschitz: unconstrained}
          - residual: {layers: [dense: 3], shortcut: {layers: [dense: {units: 3, lipschitz: 0.5}]}}
          - dense: {units: 3, name: "0", lipschitz: {norm: linf, bound: 1/3}, constraint: ball}
      loss: cross_entropy
      targets: [lipschitz: {norm: l1, report: true}, accuracy: 0.5]
      """
    let first = try #require(load(text).experiment)
    let second = try #require(load(first.resolvedText).experiment, "\(first.resolvedText)")
    #expect(first.resolvedText == second.resolvedText)
    #expect(summary(first) == summary(second))
    for line in [
      "name: \"two words\"", "shuffle: true", "lipschitz: {norm: l2, bound: 2.0}",
      "constraint: {type: spectral, iterations: 1}",
      "- dense: {name: dense_1, units: 16, bias: true}",
      "weight: 0.5", "loss: {family: cross_entropy, temperature: 1.0}",
      "optimizer: {type: adam, lr: 0.001, schedule: {type: constant, warmup: 0}}",
      "train: {epochs: 10, batch: 128, seed: 0, checkpoint: {every: metrics, keep: 2}}",
    ] {
      #expect(first.resolvedText.contains(line), "\(line) is not in\n\(first.resolvedText)")
    }
  }

  private func summary(_ experiment: Experiment) -> [String] {
    experiment.networks[0].nodes.map {
      "\($0.name) \($0.kind) \($0.inputs) \($0.outputShape) \($0.weights.map(\.name)) "
        + "\($0.declared.map { "\($0.norm) \($0.bound)" } ?? "-") \($0.constraint?.kind ?? "none") "
        + "\($0.operation)"
    } + ["\(experiment.targets.map(\.claim))"]
  }
}
