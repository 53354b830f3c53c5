import CPUEngine
import Diagnostics
import Formats
import Glibc
import Lipschitz
import Model
import ReferenceEngine
import Rounding
import Tensors
import Testing

@testable import Training

@Suite struct EvaluationTests {
  /// A description with `layers` on three classes in the plane, and its tensors by `entry`.
  private func model(
    _ layers: String, data: String = "{type: synthetic, name: two_moons, samples: 300, "
      + "test_samples: 300, noise: 0.4}", input: Int = 2,
    _ entry: (String, Int) -> Float
  ) throws -> (Experiment, [String: NamedTensor]) {
    let description = """
      lgc: 1
      name: small
      data: \(data)
      model:
        input: [\(input)]
        layers:
      \(layers)
      """
    let experiment = try experiment(description)
    var tensors: [String: NamedTensor] = [:]
    for node in experiment.networks[0].nodes {
      for weight in node.weights {
        let name = node.tensorName(weight.name)
        let values = (0..<weight.shape.reduce(1, *)).map { entry(name, $0) }
        tensors[name] = NamedTensor(name: name, shape: weight.shape, values: .float32(values))
      }
    }
    return (experiment, tensors)
  }

  private func evaluation(
    _ model: (Experiment, [String: NamedTensor]),
    _ change: (inout EvaluationOptions) -> Void = { _ in }
  ) throws -> Evaluation {
    var options = EvaluationOptions(engine: CPUEngine(), threads: 1)
    change(&options)
    return try Evaluation(model.0, tensors: model.1, directory: ".", options)
  }

  @Test("for a linear classifier the certified radius is the distance to the nearest other class")
  func linearIsExact() throws {
    var random = SystemFree(seed: 5)
    let w = (0..<15).map { _ in Float(random.normal()) }
    let b = (0..<3).map { _ in Float(random.normal()) }
    let (experiment, tensors) = try model(
      "    - dense: {name: logits, units: 3}",
      data: "{type: synthetic, name: two_moons, samples: 30}"
    ) { $0 == "logits.weight" ? w[$1] : b[$1] }
    let network = try NetworkWeights(experiment.networks[0], tensors: tensors)
    let x = (0..<400).map { _ in Float(random.normal()) }
    let labels = (0..<200).map { Int32($0 % 3) }
    let margins = try #require(
      try provedMargins(network, of: x, labels: labels, engine: ReferenceEngine()))
    for norm in Norm.allCases {
      let report = try certifiedBound(network, norms: [norm])[0]
      let bounds = try pairwiseBounds(network, report)
      for i in 0..<200 {
        let y = Int(labels[i])
        func f(_ j: Int) -> Double {
          Double(w[2 * j]) * Double(x[2 * i]) + Double(w[2 * j + 1]) * Double(x[2 * i + 1])
            + Double(b[j])
        }
        let distances = (0..<3).filter { $0 != y }.map { j in
          let d = (0..<2).map { abs(Double(w[2 * y + $0]) - Double(w[2 * j + $0])) }
          let dual = switch norm {
          case .l1: d.max()!
          case .l2: (d[0] * d[0] + d[1] * d[1]).squareRoot()
          case .linf: d[0] + d[1]
          }
          return (f(y) - f(j)) / dual
        }
        let exact = max(0, distances.min()!)
        let proved = margins.radius(of: i, bounds)
        #expect(proved <= exact * (1 + 1e-12))
        #expect(proved >= exact * (1 - 1e-5) - 1e-12)
      }
    }
  }

  @Test("attacks in float64 never succeed below the certified radius", arguments: Norm.allCases)
  func attacksFail(norm: Norm) throws {
    for seed in 0..<6 as Range<UInt64> {
      var random = SystemFree(seed: 100 + seed)
      let activation = ["relu", "group_sort", "tanh"][Int(seed % 3)]
      let (experiment, tensors) = try model(
        """
            - dense: {name: a, units: 8, activation: \(activation)}
            - dense: {name: b, units: 8, activation: \(activation)}
            - dense: {name: logits, units: 3}
        """) { _, _ in Float(random.normal() * 0.7) }
      let network = try NetworkWeights(experiment.networks[0], tensors: tensors)
      let report = try certifiedBound(network, norms: [norm])[0]
      let bounds = try pairwiseBounds(network, report)
      let x = (0..<2000).map { _ in Float(random.normal() * 2) }
      let outputs = try exactOutputs(experiment.networks[0], tensors, x)
      let labels = outputs.map { Int32($0.firstIndex(of: $0.max()!)!) }
      let margins = try #require(
        try provedMargins(network, of: x, labels: labels, engine: ReferenceEngine()))
      var changed: [Float] = []
      var owners: [Int] = []
      for i in 0..<1000 {
        let radius = margins.radius(of: i, bounds)
        #expect(radius >= 0)
        guard radius > 0 else { continue }
        for direction in 0..<24 {
          // Evenly around the sphere of the norm, a hair inside.
          let angle = Double(direction) * Double.pi / 12 + random.normal()
          var (a, b) = (cos(angle), sin(angle))
          let length = switch norm {
          case .l1: abs(a) + abs(b)
          case .l2: (a * a + b * b).squareRoot()
          case .linf: max(abs(a), abs(b))
          }
          (a, b) = (a / length * radius * 0.999, b / length * radius * 0.999)
          changed += [x[2 * i] + Float(a), x[2 * i + 1] + Float(b)]
          owners.append(i)
        }
      }
      let after = try exactOutputs(experiment.networks[0], tensors, changed)
      for (owner, y) in zip(owners, after) {
        let label = Int(labels[owner])
        let size = x[2 * owner].magnitude + x[2 * owner + 1].magnitude
        // Where rounding x + δ to float32 could have left the ball, nothing is claimed.
        guard margins.radius(of: owner, bounds) > 1e-4 * Double(size) else { continue }
        #expect(y.indices.allSatisfy { $0 == label || y[$0] < y[label] })
      }
      #expect(owners.count > 10_000)
    }
  }

  @Test("certified ≤ attacked ≤ clean, and a better attack finds more")
  func bracket() throws {
    var random = SystemFree(seed: 9)
    let subject = try model(
      """
          - dense: {name: a, units: 16, activation: relu}
          - dense: {name: logits, units: 3}
      """) { _, _ in Float(random.normal() * 0.7) }
    let result = try evaluation(subject) {
      $0.norms = Norm.allCases
      $0.radii = [0.01, 0.1, 0.3, 1]
    }
    #expect(result.norms.map(\.certified.norm) == Norm.allCases)
    for norm in result.norms {
      #expect(norm.rows.map(\.radius) == [0.01, 0.1, 0.3, 1])
      var last = result.accuracy
      for row in norm.rows {
        let attacked = try #require(row.attacked)
        #expect(row.certified <= attacked)
        #expect(attacked <= last)
        last = attacked
      }
      #expect(norm.rows.last!.attacked! < result.accuracy)
    }
  }

  @Test("a tie and a wrong class have radius 0, and count nowhere")
  func ties() throws {
    // Both outputs are equal everywhere: the first class wins by its place alone.
    let subject = try model(
      "    - dense: {name: logits, units: 3}"
    ) { name, index in name == "logits.bias" ? 0 : [1, 2][index % 2] }
    let result = try evaluation(subject) { $0.radii = [0.1] }
    let l2 = try #require(result.norms.first)
    #expect(result.accuracy > 0)
    #expect(l2.certified.radii.allSatisfy { $0 == 0 })
    #expect(l2.certified.accuracy(0) == 0 && l2.rows[0].certified == 0)
    #expect(l2.certified.average == 0)
  }

  @Test("of one output the sign is the class and |f| / L the radius")
  func singleOutput() throws {
    let subject = try model(
      "    - dense: {name: f, units: 1}",
      data: "{type: synthetic, name: two_moons, samples: 100, test_samples: 100}"
    ) { name, index in name == "f.bias" ? 0.2 : [0.6, -0.8][index] }
    let result = try evaluation(subject) { $0.radii = [0.05] }
    let weights: [Double] = [Double(Float(0.6)), Double(Float(-0.8))]
    let l2 = try #require(result.norms.first)
    let length = (weights[0] * weights[0] + weights[1] * weights[1]).squareRoot()
    let data = try syntheticTest(subject.0)
    var right = 0
    for i in 0..<data.count {
      let f = weights[0] * Double(data.x[2 * i]) + weights[1] * Double(data.x[2 * i + 1])
        + Double(Float(0.2))
      let isRight = (f > 0) == (data.labels[i] == 1)
      right += isRight ? 1 : 0
      let expected = isRight ? abs(f) / length : 0
      #expect(abs(l2.certified.radii[i] - expected) < 1e-6)
      #expect(l2.certified.radii[i] <= expected * (1 + 1e-12))
    }
    #expect(abs(result.accuracy - Double(right) / Double(data.count)) < 1e-12)
  }

  @Test("radii in units of the data file hold for the channel that standardize stretches most")
  func rawUnits() throws {
    var random = SystemFree(seed: 3)
    let subject = try model(
      "    - dense: {name: logits, units: 3}",
      data: "{type: synthetic, name: two_moons, samples: 300, test_samples: 100, "
        + "standardize: {mean: [0, 1], deviation: [2, 0.5]}}"
    ) { _, _ in Float(random.normal()) }
    let result = try evaluation(subject) { $0.radii = [0.1] }
    // One unit of the second number of the file is two of the model's.
    #expect(result.norms[0].rawRadius(0.1) == 0.05)
  }

  @Test("the result as JSON has its keys, and infinite numbers are null")
  func jsonShape() throws {
    var random = SystemFree(seed: 4)
    let subject = try model("    - dense: {name: logits, units: 3}") { _, _ in
      Float(random.normal())
    }
    let result = try evaluation(subject) {
      $0.samples = 50
      $0.attackSteps = 0
    }
    let text = result.json(version: "1", weights: "w", seconds: 1).text
    let json = try JSON(Array(text.utf8))
    #expect(json["samples"]?.integer == 50)
    let norm = try #require(json["norms"]?.array?.first)
    #expect(norm["norm"]?.string == "l2")
    #expect(norm["radii"]?.array?.count == 4)
    let attacked = try #require(norm["radii"]?.array?[0]["attacked"])
    #expect(attacked.double == nil)
    #expect(norm["curve"]?["radii"]?.array?.count == norm["curve"]?["certified"]?.array?.count)
  }

  @Test("what cannot be evaluated is named")
  func refusals() throws {
    func refusal(_ description: String) throws -> Diagnostic {
      let experiment = try experiment(description)
      return try diagnostic {
        _ = try Evaluation(
          experiment, tensors: [:], directory: ".", EvaluationOptions(engine: CPUEngine()))
      }
    }
    let model = "model: {input: [2], layers: [dense: {name: logits, units: 2}]}"
    let noData = try refusal("lgc: 1\nname: a\n\(model)\n")
    #expect(noData.code == .missingSection && noData.message.contains("`data`"))
    let mismatch = try refusal(
      "lgc: 1\nname: a\ndata: {type: synthetic, name: two_moons, samples: 10}\n"
        + "model: {input: [3], layers: [dense: {name: logits, units: 2}]}\n")
    #expect(mismatch.code == .dataShape)
    let weights = try refusal(
      "lgc: 1\nname: a\ndata: {type: synthetic, name: two_moons, samples: 10}\n\(model)\n")
    #expect(weights.code == .badWeights)
  }

  /// Outputs by float64 evaluation, a row for each sample.
  private func exactOutputs(
    _ network: Network, _ tensors: [String: NamedTensor], _ x: [Float]
  ) throws -> [[Double]] {
    let inputs = network.inputShape.elementCount
    let count = x.count / inputs
    let program = Lowering.forward(network: network, batch: count, mode: .deployed)
    let executable = try #require(
      try ReferenceEngine().compile([program], options: .init()) as? ReferenceExecutable)
    for (name, tensor) in tensors { try executable.writeState(name, tensor.floats) }
    try executable.writeInput("x", of: program.name, x)
    try executable.run(program.name)
    let y = try executable.readOutput("y", of: program.name)
    let outputs = y.count / count
    return (0..<count).map { Array(y[$0 * outputs..<($0 + 1) * outputs]) }
  }

  private func syntheticTest(
    _ experiment: Experiment
  ) throws -> (x: [Float], labels: [Int32], count: Int) {
    let section = try #require(experiment.data)
    let data = try section.dataset.load(section.arguments, directory: ".", seed: 0)
    let test = try #require(data.test)
    let scaling = try InputScaling(section, samples: data.train)
    return (scaling.rows(of: test), test.labels, test.count)
  }
}

/// Repeatable random numbers for the tests.
private struct SystemFree {
  private var generator: PhiloxGenerator
  init(seed: UInt64) { generator = PhiloxGenerator(seed: seed, stream: "evaluation tests") }
  mutating func normal() -> Double { generator.normal() }
}
